#include "control/openmetrics.hpp"
#include "tests/support/source_tree.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>

namespace interposed::control {

namespace {

using server::ErrorKind;
using server::RequestKind;
using server::ServerReport;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// A server with one export on one device, to which something has happened.
ServerReport small_report() {
    server::ExportReport vol;
    vol.name = "vol0";
    vol.size = 1 << 20;
    vol.generation = 2;
    vol.segments = 3;
    vol.connections = 1;
    vol.in_flight = 4;
    vol.connections_ever = 9;
    vol.throttled = 5;
    vol.suspended = true;
    server::KindTotals& reads = vol.totals.kinds[static_cast<std::size_t>(RequestKind::read)];
    reads.requests = 7;
    reads.bytes = 4096;
    reads.errors[static_cast<std::size_t>(ErrorKind::io)] = 1;
    reads.latency_sum = milliseconds(1500);
    reads.latency[server::latency_bucket(microseconds(3))] = 4;
    reads.latency[server::latency_bucket(microseconds(20))] = 2;
    reads.latency[server::latency_bucket(seconds(60))] = 1;

    server::DeviceReport disk;
    disk.path = "/dev/sdb";
    disk.exclusive = true;
    disk.flush_error = "Input/output error";
    disk.size = 1 << 21;
    disk.cached_reads = 6;

    ServerReport report;
    report.uptime = milliseconds(12'345);
    report.version = "1.2.3";
    report.connections = 1;
    report.accepted = 10;
    report.turned_away = 2;
    report.memory_limit = 1 << 30;
    report.log_lines_dropped = 8;
    report.exports = {vol};
    report.devices = {disk};
    return report;
}

Process small_process() {
    return {.resident_memory = 4096,
            .virtual_memory = 8192,
            .open_fds = 12,
            .max_fds = 1024,
            .threads = 3,
            .cpu = milliseconds(250),
            .start_time = seconds(1'700'000'000)};
}

/// The lines that begin so, and the comments about them.
std::string about(const std::string& text, const std::string& begin) {
    std::istringstream lines(text);
    std::string found;
    for (std::string line; std::getline(lines, line);) {
        const bool comment = line.starts_with("# ");
        const std::size_t name = comment ? line.find(' ', 2) + 1 : 0;
        if (line.compare(name, begin.size(), begin) == 0)
            found += line + "\n";
    }
    return found;
}

struct Family {
    std::string type;
    std::set<std::string> samples; ///< names with labels
};

/// Reads a text as strictly as the formats want it: a family's comments come once and before its
/// samples, these stand together, and none comes twice.
std::map<std::string, Family> parse(const std::string& text, Dialect dialect) {
    static const std::regex sample(
        R"re(([a-z_]+)(\{(?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)*\})? [0-9.]+)re");
    const bool openmetrics = dialect == Dialect::openmetrics;
    std::map<std::string, Family> families;
    std::string current;
    bool ended = false;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        INFO(line);
        REQUIRE_FALSE(ended);
        std::istringstream words(line);
        std::string hash;
        std::string what;
        std::string name;
        std::string value;
        if (line == "# EOF") {
            ended = true;
        } else if (line.starts_with("# TYPE ")) {
            words >> hash >> what >> current >> value;
            REQUIRE_FALSE(families.contains(current));
            families[current].type = value;
        } else if (line.starts_with("# ")) {
            words >> hash >> what >> name >> value;
            REQUIRE(name == current);
            REQUIRE(families[name].samples.empty());
            REQUIRE((what == "HELP" || (openmetrics && what == "UNIT")));
            if (what == "UNIT")
                REQUIRE(name.ends_with("_" + value));
        } else {
            std::smatch parts;
            REQUIRE(std::regex_match(line, parts, sample));
            Family& family = families[current];
            std::string wanted = parts[1];
            if (openmetrics && family.type == "counter")
                wanted = wanted.substr(0, wanted.size() - std::string("_total").size());
            else if (openmetrics && family.type == "info")
                wanted = wanted.substr(0, wanted.size() - std::string("_info").size());
            else if (family.type == "histogram")
                wanted = wanted.substr(0, wanted.rfind('_'));
            REQUIRE(wanted == current);
            REQUIRE(family.samples.insert(parts[1].str() + parts[2].str()).second);
        }
    }
    CHECK(ended == openmetrics);
    return families;
}

} // namespace

TEST_CASE("requests of an export are told by kind, with their durations", "[control]") {
    const std::string text = render(small_report(), {}, Dialect::openmetrics);
    CHECK(about(text, "interposed_requests") == R"(# TYPE interposed_requests counter
# HELP interposed_requests Requests that were answered.
interposed_requests_total{export="vol0",kind="read"} 7
interposed_requests_total{export="vol0",kind="write"} 0
interposed_requests_total{export="vol0",kind="flush"} 0
interposed_requests_total{export="vol0",kind="trim"} 0
interposed_requests_total{export="vol0",kind="write_zeroes"} 0
# TYPE interposed_requests_in_flight gauge
# HELP interposed_requests_in_flight Requests that are not answered yet.
interposed_requests_in_flight{export="vol0"} 4
)");
    CHECK(about(text, R"(interposed_request_errors_total{export="vol0",kind="read")") ==
          R"(interposed_request_errors_total{export="vol0",kind="read",reason="refused"} 0
interposed_request_errors_total{export="vol0",kind="read",reason="io"} 1
interposed_request_errors_total{export="vol0",kind="read",reason="no_space"} 0
interposed_request_errors_total{export="vol0",kind="read",reason="other"} 0
)");
    const std::string durations =
        about(text, R"(interposed_request_duration_seconds_bucket{export="vol0",kind="read")");
    CHECK(std::count(durations.begin(), durations.end(), '\n') == server::latency_buckets);
    CHECK(durations.find(R"(le="5e-06"} 4)") != std::string::npos);
    CHECK(durations.find(R"(le="1e-05"} 4)") != std::string::npos);
    CHECK(durations.find(R"(le="2.5e-05"} 6)") != std::string::npos);
    CHECK(durations.find(R"(le="10.0"} 6)") != std::string::npos);
    CHECK(durations.find(R"(le="+Inf"} 7)") != std::string::npos);
    CHECK(about(text, R"(interposed_request_duration_seconds_sum{export="vol0",kind="read")") ==
          R"(interposed_request_duration_seconds_sum{export="vol0",kind="read"} 1.500000000
)");
}

TEST_CASE("the state of exports, devices and the server is told", "[control]") {
    const std::string text = render(small_report(), small_process(), Dialect::prometheus);
    for (const char* line :
         {R"(interposed_export_size_bytes{export="vol0"} 1048576)",
          R"(interposed_export_table_generation{export="vol0"} 2)",
          R"(interposed_export_segments{export="vol0"} 3)",
          R"(interposed_export_connections{export="vol0"} 1)",
          R"(interposed_export_connections_opened_total{export="vol0"} 9)",
          R"(interposed_export_suspended{export="vol0"} 1)",
          R"(interposed_export_draining{export="vol0"} 0)",
          R"(interposed_throttled_requests_total{export="vol0"} 5)",
          R"(interposed_request_bytes_total{export="vol0",kind="read"} 4096)",
          R"(interposed_device_requests_total{device="/dev/sdb",kind="flush"} 0)",
          R"(interposed_device_flush_failed{device="/dev/sdb"} 1)",
          R"(interposed_device_claim{device="/dev/sdb",claim="exclusive"} 1)",
          R"(interposed_device_cached_reads_total{device="/dev/sdb"} 6)",
          R"(interposed_build_info{version="1.2.3"} 1)",
          "interposed_uptime_seconds 12.345000000",
          "interposed_connections_accepted_total 10",
          "interposed_connections_turned_away_total 2",
          "interposed_memory_limit_bytes 1073741824",
          "interposed_log_lines_dropped_total 8",
          "process_resident_memory_bytes 4096",
          "process_open_fds 12",
          "process_cpu_seconds_total 0.250000000",
          "process_start_time_seconds 1700000000.000000000"}) {
        INFO(line);
        CHECK(text.find(std::string("\n") + line + "\n") != std::string::npos);
    }
}

TEST_CASE("kinds of request that few clients use are told of once there was one", "[control]") {
    ServerReport report = small_report();
    CHECK(render(report, {}, Dialect::prometheus).find("block_status") == std::string::npos);
    server::Totals& totals = report.exports[0].totals;
    totals.kinds[static_cast<std::size_t>(RequestKind::block_status)].requests = 1;
    totals.kinds[static_cast<std::size_t>(RequestKind::other)].errors[0] = 1;
    const std::string text = render(report, {}, Dialect::prometheus);
    for (const char* name : {"interposed_requests_total", "interposed_request_bytes_total",
                             "interposed_request_duration_seconds_count"})
        for (const char* kind : {"block_status", "other"})
            CHECK_FALSE(about(text, name + std::string(R"({export="vol0",kind=")") + kind).empty());
}

TEST_CASE("both formats are what they should be, whatever names there are", "[control]") {
    ServerReport report = small_report();
    for (const std::string name : {"", "a\"b", "a\\", "a\nb", "a,kind=\"read\"", "größe"}) {
        report.exports.push_back(report.exports[0]);
        report.exports.back().name = name;
    }
    for (const std::string path : {"/x/\xFF", "/x/\xFE", "/x/\xFD", "/dev/sdb"}) {
        report.devices.push_back(report.devices[0]);
        report.devices.back().path = path;
    }
    const auto openmetrics =
        parse(render(report, small_process(), Dialect::openmetrics), Dialect::openmetrics);
    const auto prometheus =
        parse(render(report, small_process(), Dialect::prometheus), Dialect::prometheus);
    CHECK(openmetrics.size() == prometheus.size());
    CHECK(openmetrics.at("interposed_export_size_bytes").samples.size() == 7);
    CHECK(openmetrics.at("interposed_device_size_bytes")
              .samples.contains("interposed_device_size_bytes{device=\"/x/\xEF\xBF\xBD (3)\"}"));
    std::size_t names = 0;
    for (const auto& [name, family] : openmetrics)
        names += prometheus.contains(name) || prometheus.contains(name + "_total") ||
                         prometheus.contains(name + "_info")
                     ? 1
                     : 0;
    CHECK(names == openmetrics.size());
}

TEST_CASE("a server without exports is told as well", "[control]") {
    const auto families = parse(render({}, {}, Dialect::openmetrics), Dialect::openmetrics);
    CHECK(families.at("interposed_requests").samples.empty());
    CHECK(families.at("interposed_connections").samples.size() == 1);
}

TEST_CASE("the dashboard asks for no metric that is not there", "[control]") {
    const auto families =
        parse(render(small_report(), small_process(), Dialect::prometheus), Dialect::prometheus);
    std::set<std::string> known = {"interposed_request_duration_seconds_bucket",
                                   "interposed_device_request_duration_seconds_bucket"};
    for (const auto& [name, family] : families)
        known.insert(name);
    std::ifstream file(tests::source_file("examples/grafana-dashboard.json"));
    const std::string dashboard{std::istreambuf_iterator<char>(file), {}};
    const std::regex metric(R"re(\b(interposed|process)_[a-z_]+)re");
    std::set<std::string> asked;
    for (auto it = std::sregex_iterator(dashboard.begin(), dashboard.end(), metric);
         it != std::sregex_iterator(); ++it)
        asked.insert(it->str());
    CHECK(asked.size() >= 15);
    for (const std::string& name : asked) {
        INFO(name);
        CHECK(known.contains(name));
    }
}

} // namespace interposed::control
