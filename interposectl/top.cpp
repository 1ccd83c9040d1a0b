#include "interposectl/top.hpp"

#include "interposectl/columns.hpp"
#include "interposectl/errors.hpp"
#include "interposectl/terminal.hpp"
#include "interposectl/text.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <thread>

namespace interposed::ctl {
namespace {

constexpr const char* home = "\033[H";
constexpr const char* clear_line = "\033[K";
constexpr const char* clear_below = "\033[J";
constexpr std::size_t lines_around_rows = 4; ///< title, blank line, headings, those left out
constexpr std::size_t lines_around_devices = 3;
constexpr std::size_t least_rows = 3;

/// "1234567", "12.3", "0": few columns, and what is little is still seen.
std::string rate_text(double value) {
    if (value <= 0)
        return "0";
    return fixed(value, value < 0.995 ? 2 : value < 99.95 ? 1 : 0);
}

std::string latency_text(const std::optional<double>& latency_ms) {
    if (!latency_ms)
        return "-";
    return fixed(*latency_ms, *latency_ms < 9.9995 ? 3 : *latency_ms < 999.5 ? 1 : 0);
}

void add_rate(std::vector<std::string>& cells, const Rate& rate) {
    cells.push_back(rate_text(rate.requests_per_s));
    cells.push_back(rate_text(rate.bytes_per_s / 1e6));
    cells.push_back(latency_text(rate.latency_ms));
}

/// Exports have connections, devices have not.
std::string rows_text(const std::vector<Activity>& all, const char* what, bool connections,
                      std::size_t most_rows) {
    std::vector<Heading> headings = {{what}};
    if (connections)
        headings.push_back({"CONN", Align::right});
    for (const char* heading :
         {"DEPTH", "READ/S", "MB/S", "MS", "WRITE/S", "MB/S", "MS", "OTHER/S", "ERRORS"})
        headings.push_back({heading, Align::right});
    Columns columns(std::move(headings));
    const std::vector<Activity> shown = busiest(all, most_rows);
    for (const Activity& each : shown) {
        std::vector<std::string> cells = {export_name(each.name)};
        if (connections)
            cells.push_back(std::to_string(each.connections));
        cells.push_back(std::to_string(each.in_flight));
        add_rate(cells, each.read);
        add_rate(cells, each.write);
        cells.push_back(rate_text(each.other.requests_per_s));
        cells.push_back(std::to_string(each.errors));
        columns.add(std::move(cells));
    }
    if (shown.size() < all.size())
        columns.add_line("... " + std::to_string(all.size() - shown.size()) + " less busy ...");
    return columns.text();
}

/// Overwrites what is there instead of clearing first, which would flicker. A line that wrapped
/// would push the others off the screen.
std::string as_screen(std::string_view text, std::size_t columns) {
    std::string screen = home;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        screen.append(clipped(text.substr(0, end), columns)).append(clear_line).append("\n");
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return screen + clear_below;
}

std::size_t rows_for(const TerminalSize& size, bool with_devices) {
    const std::size_t fixed_lines =
        lines_around_rows + 1 + (with_devices ? lines_around_devices : 0);
    const std::size_t rows = size.lines > fixed_lines ? size.lines - fixed_lines : 0;
    return std::max(least_rows, with_devices ? rows / 2 : rows);
}

void show(const Interval& interval, const Watch& watch, bool as_json, bool is_first) {
    const bool terminal = is_terminal();
    if (as_json) {
        print(json_text(to_json(interval, watch.devices), terminal) + "\n");
        return;
    }
    const std::size_t most_rows = terminal ? rows_for(terminal_size(), watch.devices)
                                           : std::numeric_limits<std::size_t>::max();
    const std::string text = top_text(interval, watch.devices, most_rows);
    if (terminal)
        print((is_first ? home + std::string(clear_below) : "") +
              as_screen(text, terminal_size().columns));
    else
        print((is_first ? "" : "\n") + text);
}

} // namespace

std::string top_text(const Interval& interval, bool with_devices, std::size_t most_rows) {
    std::string text = clock_text(interval.time) + "  up " + duration_text(interval.uptime_s) +
                       ", " + counted(interval.connections, "connection") + ", over " +
                       fixed(interval.seconds, 1) + " s\n\n";
    text += rows_text(interval.exports, "EXPORT", true, most_rows);
    if (with_devices)
        text += "\n" + rows_text(interval.devices, "DEVICE", false, most_rows);
    return text;
}

void watch(Client& client, const Watch& watch, bool as_json) {
    using Clock = std::chrono::steady_clock;
    const auto interval = std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(watch.interval_s));
    end_on_interrupt(static_cast<int>(Exit::done));
    Json before = client.call("statistics", Json::object());
    auto next = Clock::now();
    for (std::uint64_t shown = 0; !watch.count || shown < *watch.count; ++shown) {
        // A server that was slow to answer shortens no interval.
        next = std::max(next + interval, Clock::now());
        std::this_thread::sleep_until(next);
        Json now = client.call("statistics", Json::object());
        show(compare(before, now), watch, as_json, shown == 0);
        before = std::move(now);
    }
}

} // namespace interposed::ctl
