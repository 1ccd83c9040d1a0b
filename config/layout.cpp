#include "config/layout.hpp"

#include "config/sizes.hpp"

#include <utility>

namespace interposed::config {
namespace {

/// Goes over the rows and knows where the next one has to start.
class Layout {
public:
    Layout(std::span<Row> rows, std::vector<Fault>& faults) : rows_(rows), faults_(faults) {}

    void run() {
        for (at_ = 0; at_ < rows_.size(); ++at_) {
            place_start(rows_[at_]);
            find_length(rows_[at_]);
            place_end(rows_[at_]);
        }
    }

private:
    void fault(std::string message) { faults_.push_back({*rows_[at_].place, std::move(message)}); }
    [[nodiscard]] bool is_last() const { return at_ + 1 == rows_.size(); }

    void place_start(Row& row) {
        if (!row.start)
            row.start = end_;
        else if (end_ && *row.start != *end_)
            misplaced(*row.start);
    }

    void misplaced(std::uint64_t start) {
        const std::string found = "starts at byte " + std::to_string(start);
        const std::string wanted = std::to_string(*end_);
        if (at_ == 0)
            fault("gap in the table: want the first segment to start at byte 0, it " + found);
        else if (start > *end_)
            fault("gap in the table: " + found + ", the segment before ends at byte " + wanted);
        else if (rows_[at_ - 1].start && start <= *rows_[at_ - 1].start)
            fault("segments out of order: " + found + ", the segment before starts at byte " +
                  std::to_string(*rows_[at_ - 1].start));
        else
            fault("overlap in the table: " + found + ", the segment before ends at byte " + wanted);
    }

    void find_length(Row& row) {
        if (row.length || is_last())
            return;
        const std::optional<std::uint64_t>& next = rows_[at_ + 1].start;
        if (!next && !row.faulty && !rows_[at_ + 1].faulty)
            fault("\"length\" is missing: it may be left out only in the last segment, or where "
                  "the next one gives its \"start\"");
        else if (next && row.start && *next > *row.start)
            row.length = *next - *row.start;
    }

    void place_end(Row& row) {
        end_.reset();
        if (row.length && *row.length == 0)
            fault("want a length of at least 1 byte, got 0");
        if (row.start && row.length) {
            if (*row.length > largest_size || *row.start > largest_size - *row.length)
                fault("want an end of at most 9223372036854775807 bytes (2^63 - 1), got start " +
                      std::to_string(*row.start) + ", length " + std::to_string(*row.length));
            else
                end_ = *row.start + *row.length;
        } else if (row.start && !is_last() && rows_[at_ + 1].start) {
            end_ = *row.start + 1; // the next start is not behind this one: say so there
        }
    }

    std::span<Row> rows_;
    std::vector<Fault>& faults_;
    std::size_t at_ = 0;
    std::optional<std::uint64_t> end_ = 0; ///< absent behind a fault that hides it
};

} // namespace

void lay_out(std::span<Row> rows, std::vector<Fault>& faults) {
    Layout(rows, faults).run();
}

} // namespace interposed::config
