#include "interposectl/columns.hpp"

#include "interposectl/text.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace interposed::ctl {

Columns::Columns(std::vector<Heading> headings, std::string indent)
    : headings_(std::move(headings)), indent_(std::move(indent)) {
    std::vector<std::string> cells;
    for (const Heading& heading : headings_)
        cells.push_back(heading.text);
    add(std::move(cells));
}

void Columns::add(std::vector<std::string> cells) {
    assert(cells.size() == headings_.size());
    rows_.push_back({.cells = std::move(cells), .line = {}});
}

void Columns::add_line(std::string line) {
    rows_.push_back({.cells = {}, .line = std::move(line)});
}

std::vector<std::size_t> Columns::widths() const {
    std::vector<std::size_t> widths(headings_.size());
    for (const Row& row : rows_)
        for (std::size_t i = 0; i < row.cells.size(); ++i)
            widths[i] = std::max(widths[i], width_of(row.cells[i]));
    return widths;
}

std::string Columns::text() const {
    const std::vector<std::size_t> all_widths = widths();
    std::string text;
    for (const Row& row : rows_) {
        std::string line = indent_ + row.line;
        for (std::size_t i = 0; i < row.cells.size(); ++i) {
            const std::string blanks(all_widths[i] - width_of(row.cells[i]), ' ');
            const bool right = headings_[i].align == Align::right;
            line.append(i > 0 ? "  " : "");
            line.append(right ? blanks : row.cells[i]).append(right ? row.cells[i] : blanks);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    }
    return text;
}

} // namespace interposed::ctl
