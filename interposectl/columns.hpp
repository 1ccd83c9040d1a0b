#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace interposed::ctl {

enum class Align : std::uint8_t { left, right };

struct Heading {
    std::string text;
    Align align = Align::left;
};

/// Rows of cells below their headings, each column as wide as its widest cell.
class Columns {
public:
    explicit Columns(std::vector<Heading> headings, std::string indent = "");

    /// Exactly one cell for each heading.
    void add(std::vector<std::string> cells);
    /// A line that stands for itself between the rows.
    void add_line(std::string line);

    [[nodiscard]] std::string text() const;

private:
    struct Row {
        std::vector<std::string> cells; ///< empty: `line`
        std::string line;
    };

    [[nodiscard]] std::vector<std::size_t> widths() const;

    std::vector<Heading> headings_;
    std::string indent_;
    std::vector<Row> rows_;
};

} // namespace interposed::ctl
