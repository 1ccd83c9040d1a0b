#include "interposectl/map.hpp"
#include "interposectl/text.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace interposed::ctl {
namespace {

constexpr std::size_t narrowest = 40;
constexpr std::size_t widest = 240;
constexpr std::size_t least_box = 4;      ///< "| A "
constexpr std::size_t least_elision = 16; ///< "| 1000000 more "

/// A run of segments that is drawn as one box.
struct Box {
    std::uint64_t start;
    std::uint64_t length;
    std::size_t width = 0; ///< columns, with the border on its left
    std::string label;     ///< as long as there may be room for it
    std::string short_label;
};

/// Every segment, or as many of either end as there is room for and one box for all between.
std::vector<Box> boxes_of(const TableMap& map, const std::vector<std::string>& labels,
                          std::size_t width) {
    const std::size_t count = map.segments.size();
    const std::size_t most = (width - 1) / least_box;
    const std::size_t ends = count <= most ? count : (width - 1 - least_elision) / least_box / 2;
    std::vector<Box> boxes;
    for (std::size_t i = 0; i < count; ++i) {
        const MapSegment& segment = map.segments[i];
        if (count > most && i == ends) {
            const std::size_t hidden = count - 2 * ends;
            const std::uint64_t end = map.segments[i + hidden].start;
            boxes.push_back({segment.start, end - segment.start, least_elision,
                             std::to_string(hidden) + " more", "..."});
            i += hidden - 1;
            continue;
        }
        boxes.push_back({segment.start, segment.length, least_box,
                         labels[i] + " " + printable(segment.device), labels[i]});
    }
    return boxes;
}

/// Gives each box its share of the width, and those whose share is too small for them, `width` as
/// it is already, at the cost of the others.
void stretch(std::vector<Box>& boxes, std::size_t width) {
    std::vector<Box*> wide;
    for (Box& box : boxes)
        wide.push_back(&box);
    auto room = static_cast<double>(width);
    double size = 0;
    for (bool all_fit = false; !all_fit;) {
        size = std::accumulate(wide.begin(), wide.end(), 0.0, [](double sum, const Box* box) {
            return sum + static_cast<double>(box->length);
        });
        const auto too_small = [&](const Box* box) {
            return room * static_cast<double>(box->length) < size * static_cast<double>(box->width);
        };
        const auto small = std::stable_partition(wide.begin(), wide.end(), std::not_fn(too_small));
        all_fit = small == wide.end();
        for (auto each = small; each != wide.end(); ++each)
            room -= static_cast<double>((*each)->width);
        wide.erase(small, wide.end());
    }
    double passed = 0;
    std::size_t given = 0;
    for (Box* const box : wide) {
        passed += static_cast<double>(box->length);
        // Up to a border, not box by box: so the rounding never adds up.
        const auto so_far = static_cast<std::size_t>(std::llround(room * passed / size));
        box->width = so_far - given;
        given = so_far;
    }
}

/// Where the boxes begin in the export: only labels that do not run into one another.
std::string ruler(const std::vector<Box>& boxes, std::size_t width, std::uint64_t size) {
    const std::string end = human_size(size);
    std::string line;
    std::size_t column = 0;
    for (const Box& box : boxes) {
        const std::string start = box.start == 0 ? "0" : human_size(box.start);
        const bool first = column == 0;
        if (first || (column > line.size() + 1 && column + start.size() + 2 + end.size() <= width))
            line += std::string(column - line.size(), ' ') + start;
        column += box.width;
    }
    return line + std::string(width - std::min(width, line.size() + end.size()), ' ') + end + "\n";
}

std::string inside(const Box& box) {
    const std::size_t room = box.width - 1;
    for (const std::string& label : {box.label, box.short_label})
        if (width_of(label) + 2 <= room)
            return " " + label + std::string(room - width_of(label) - 1, ' ');
    return box.short_label.substr(0, room) +
           std::string(room - std::min(room, box.short_label.size()), ' ');
}

} // namespace

std::string draw_bar(const TableMap& map, const std::vector<std::string>& labels,
                     std::size_t width) {
    width = std::clamp(width, narrowest, widest);
    if (map.segments.empty())
        return "";
    std::vector<Box> boxes = boxes_of(map, labels, width);
    stretch(boxes, width - 1);
    std::string border;
    std::string middle;
    for (const Box& box : boxes) {
        border += "+" + std::string(box.width - 1, '-');
        middle += "|" + inside(box);
    }
    border += "+\n";
    return ruler(boxes, width, map.size) + border + middle + "|\n" + border;
}

} // namespace interposed::ctl
