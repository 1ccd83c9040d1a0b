#include "bench/report.hpp"

#include "bench/text.hpp"

namespace interposed::bench {

namespace {

double us(double ns) {
    return ns / 1e3;
}
double us(std::uint64_t ns) {
    return us(static_cast<double>(ns));
}

double per_request_us(std::uint64_t ns, const Result& result) {
    const std::uint64_t requests = result.tally.requests();
    return requests == 0 ? 0.0 : us(ns) / static_cast<double>(requests);
}

double per_second(std::uint64_t count, const Result& result) {
    return static_cast<double>(count) / result.seconds;
}

double cores(std::uint64_t ns, const Result& result) {
    return static_cast<double>(ns) / 1e9 / result.seconds;
}

const char* transport(const Plan& plan) {
    return (plan.server ? plan.server->tcp : plan.copy_over_tcp) ? "tcp" : "unix";
}

std::string latency_json(const Histogram& latency) {
    return format("{\"mean\": %.2f, \"p50\": %.2f, \"p99\": %.2f, \"p99_9\": %.2f, \"max\": %.2f}",
                  us(latency.mean()), us(latency.percentile(0.5)), us(latency.percentile(0.99)),
                  us(latency.percentile(0.999)), us(latency.maximum()));
}

std::string counts_json(const Tally& tally) {
    return format("\"reads\": %llu, \"writes\": %llu, \"flushes\": %llu, \"bytes\": %llu",
                  static_cast<unsigned long long>(tally.reads),
                  static_cast<unsigned long long>(tally.writes),
                  static_cast<unsigned long long>(tally.flushes()),
                  static_cast<unsigned long long>(tally.bytes));
}

std::string shape_json(const Plan& plan) {
    return format("\"workload\": \"%s\", \"block_size\": %u, \"depth\": %u, \"connections\": %u, "
                  "\"idle\": %u, \"transport\": \"%s\", \"socket_copy\": %s, \"structured\": %s, "
                  "\"spin\": %s, \"verified\": %s",
                  plan.pattern.name.c_str(), plan.block, plan.depth, plan.connections, plan.idle,
                  transport(plan), plan.server ? "false" : "true",
                  plan.structured ? "true" : "false", plan.spin ? "true" : "false",
                  plan.verify ? "true" : "false");
}

std::string cpu_json(const std::string& whose, std::uint64_t ns, const Result& result) {
    return format("\"%s_cpu_us_per_request\": %.4f, \"%s_cpu_cores\": %.3f", whose.c_str(),
                  per_request_us(ns, result), whose.c_str(), cores(ns, result));
}

double mib(std::uint64_t bytes) {
    return static_cast<double>(bytes) / (1 << 20);
}

} // namespace

std::string to_line(const Plan& plan, const Result& result) {
    const Histogram& latency = result.tally.latency;
    std::string line = plan.server ? "" : "socket copy: ";
    line +=
        format("%s %s qd%u x%u: %.0f requests/s, %.1f MiB/s, p50 %.1f us, p99 %.1f us, "
               "p99.9 %.1f us, max %.1f us",
               plan.pattern.name.c_str(), size_text(plan.block).c_str(), plan.depth,
               plan.connections, per_second(result.tally.requests(), result),
               mib(result.tally.bytes) / result.seconds, us(latency.percentile(0.5)),
               us(latency.percentile(0.99)), us(latency.percentile(0.999)), us(latency.maximum()));
    if (result.server_cpu_ns)
        line += format(", server CPU %.2f us a request (%.2f cores)",
                       per_request_us(*result.server_cpu_ns, result),
                       cores(*result.server_cpu_ns, result));
    line += format(", client CPU %.2f us", per_request_us(result.client_cpu_ns, result));
    return line + (plan.verify ? ", all reads as they must be" : "");
}

std::string to_json(const Plan& plan, const Result& result) {
    const Tally& tally = result.tally;
    std::string json = "{";
    json += shape_json(plan);
    json += format(", \"seconds\": %.6f, \"requests\": %llu, \"iops\": %.1f, \"mib_per_s\": %.2f, ",
                   result.seconds, static_cast<unsigned long long>(tally.requests()),
                   per_second(tally.requests(), result), mib(tally.bytes) / result.seconds);
    json += counts_json(tally);
    json.append(", \"latency_us\": ").append(latency_json(tally.latency));
    if (tally.flushes() > 0)
        json.append(", \"flush_latency_us\": ").append(latency_json(tally.flush_latency));
    if (result.server_cpu_ns)
        json.append(", ").append(cpu_json("server", *result.server_cpu_ns, result));
    json += ", ";
    json += cpu_json("client", result.client_cpu_ns, result);
    return json + "}";
}

} // namespace interposed::bench
