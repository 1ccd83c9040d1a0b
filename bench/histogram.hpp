#pragma once

#include <array>
#include <cstdint>

namespace interposed::bench {

/// Counts nanoseconds in steps that grow with the value: exact below 128, then 64 steps for
/// each doubling, so that a percentile is at most 1.6 % above the truth at any scale.
class Histogram {
public:
    void record(std::uint64_t value, std::uint64_t times = 1);
    void add(const Histogram& other);

    /// The value that `share` of all values do not exceed; 0 if there are none.
    [[nodiscard]] std::uint64_t percentile(double share) const;
    [[nodiscard]] std::uint64_t maximum() const { return maximum_; }
    [[nodiscard]] std::uint64_t count() const { return count_; }
    [[nodiscard]] double mean() const;

private:
    static constexpr unsigned step_bits = 6;
    static constexpr std::size_t steps = (64 - step_bits + 1) << step_bits;

    static std::size_t step_of(std::uint64_t value);
    static std::uint64_t top_of(std::size_t step);

    std::array<std::uint64_t, steps> counts_{};
    std::uint64_t count_ = 0;
    std::uint64_t sum_ = 0;
    std::uint64_t maximum_ = 0;
};

} // namespace interposed::bench
