#include "config/config.hpp"

#include "config/text.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <set>

// The input is a configuration file. Either it is refused with a report that can be printed, or
// what comes of it is what config.hpp promises.

namespace interposed::fuzz {

namespace {

using namespace config;

constexpr std::uint64_t largest_size = 0x7fffffffffffffff;

void check_report(const ConfigError& why, std::string_view text) {
    require(!why.faults().empty(), "who refuses has a reason");
    const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
    for (const Fault& fault : why.faults()) {
        require(!fault.message.empty(), "a fault has a message");
        require(fault.place.line >= 1 && fault.place.line <= lines && fault.place.column >= 1,
                "a fault has its place in the text");
    }
    std::string_view report = why.what();
    require(static_cast<std::size_t>(std::count(report.begin(), report.end(), '\n')) ==
                std::min<std::size_t>(why.faults().size() - 1, 100),
            "a report has one line for each of the first faults, and one for the rest");
    for (std::size_t length = 0; !report.empty(); report.remove_prefix(length)) {
        length = character_length(report);
        require(length > 0, "a report is UTF-8");
        const auto c = static_cast<unsigned char>(report.front());
        require(c == '\n' || (c >= 0x20 && c != 0x7f), "a report has no control characters");
    }
}

void check_table(const std::vector<Segment>& table) {
    require(!table.empty(), "a table has segments");
    std::uint64_t end = 0;
    for (const Segment& segment : table) {
        require(segment.device.starts_with('/') || segment.device.find(':') != std::string::npos,
                "a device is an absolute path or a number");
        require(segment.device.find('\0') == std::string::npos, "a path has no NUL");
        require(segment.start == end, "segments join");
        require(segment.length.has_value() || &segment == &table.back(), "lengths are known");
        require(segment.length.value_or(1) > 0 && segment.length.value_or(0) <= largest_size - end,
                "a table is no longer than a file can be");
        end += segment.length.value_or(0);
    }
}

void check_range(const AddressRange& range) {
    require(range.prefix_length <= (range.v6 ? 128 : 32), "a prefix is no longer than an address");
    for (unsigned bit = range.prefix_length; bit < 128; ++bit)
        require((range.address[bit / 8] & (0x80U >> bit % 8)) == 0, "host bits are zero");
}

void check_rules(const std::vector<AccessRule>& rules) {
    require(!rules.empty(), "who allows nothing says so another way");
    for (const AccessRule& rule : rules) {
        require(rule.access != Access::none, "a rule grants something");
        if (rule.address)
            check_range(*rule.address);
        require(!rule.address || (!rule.unix_socket && !rule.user && !rule.group),
                "nobody has an address and comes through a Unix socket");
    }
}

void check_listener(const Listener& listener) {
    require(int{listener.tcp.has_value()} + int{listener.unix_socket.has_value()} +
                    int{listener.systemd.has_value()} ==
                1,
            "a listener is one thing");
    require(!listener.unix_socket || listener.unix_socket->path.starts_with('/'),
            "a socket's path is absolute");
    if (listener.allow)
        check_rules(*listener.allow);
    const std::string uri = to_string(listener);
    require(to_string(parse_listener(uri)) == uri, "a listener's short form means the same");
}

void check(const Configuration& configuration) {
    std::set<std::string> names;
    require(!configuration.listen.empty(), "there is somewhere to listen");
    for (const Export& each : configuration.exports) {
        require(each.name.size() <= 4096 && each.name.find('\0') == std::string::npos,
                "a name fits into the protocol");
        require(names.insert(each.name).second, "names differ");
        check_table(each.table);
        if (each.allow)
            check_rules(*each.allow);
    }
    std::for_each(configuration.listen.begin(), configuration.listen.end(), check_listener);
}

} // namespace

} // namespace interposed::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace interposed;
    const fuzz::Bytes input = fuzz::Input(data, size).take_rest();
    const std::string_view text = fuzz::text_of(input);
    try {
        fuzz::check(config::parse(text, "file", "/folder"));
    } catch (const config::ConfigError& why) {
        fuzz::check_report(why, text);
    }
    return 0;
}
