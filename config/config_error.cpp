#include "config/config.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace interposed::config {
namespace {

constexpr std::size_t most_reported = 100;

bool stands_before(const Fault& a, const Fault& b) {
    return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
}

std::vector<Fault> in_file_order(std::vector<Fault> faults) {
    std::stable_sort(faults.begin(), faults.end(), stands_before);
    return faults;
}

std::string line_of(const std::string& file, const Fault& fault) {
    std::string line = file;
    if (fault.place.line > 0)
        line.append(":")
            .append(std::to_string(fault.place.line))
            .append(":")
            .append(std::to_string(fault.place.column));
    if (!fault.place.path.empty())
        line.append(": ").append(fault.place.path);
    return line.append(": ").append(fault.message);
}

std::string report(const std::string& file, const std::vector<Fault>& faults) {
    const std::size_t reported = std::min(faults.size(), most_reported);
    std::string text;
    for (std::size_t i = 0; i < reported; ++i)
        text.append(i > 0 ? "\n" : "").append(line_of(file, faults[i]));
    const std::size_t rest = faults.size() - reported;
    if (rest > 0)
        text.append("\n")
            .append(file)
            .append(": and ")
            .append(std::to_string(rest))
            .append(" more");
    return text;
}

} // namespace

ConfigError::ConfigError(std::string file, std::vector<Fault> faults)
    : std::runtime_error(report(file, faults = in_file_order(std::move(faults)))),
      faults_(std::move(faults)) {}

} // namespace interposed::config
