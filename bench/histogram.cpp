#include "bench/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace interposed::bench {

// A value is its leading step_bits + 1 bits and a shift; the step number is the shift above those
// bits. Below 2^(step_bits + 1) the shift is zero and the step is the value itself.
std::size_t Histogram::step_of(std::uint64_t value) {
    const unsigned width = static_cast<unsigned>(std::bit_width(value));
    const unsigned shift = width > step_bits + 1 ? width - step_bits - 1 : 0;
    return (static_cast<std::size_t>(shift) << step_bits) +
           static_cast<std::size_t>(value >> shift);
}

std::uint64_t Histogram::top_of(std::size_t step) {
    constexpr std::size_t exact = std::size_t{2} << step_bits;
    if (step < exact)
        return step;
    const unsigned shift = static_cast<unsigned>(step >> step_bits) - 1;
    const std::uint64_t leading = step - (static_cast<std::size_t>(shift) << step_bits);
    return ((leading + 1) << shift) - 1;
}

void Histogram::record(std::uint64_t value, std::uint64_t times) {
    counts_[step_of(value)] += times;
    count_ += times;
    sum_ += value * times;
    maximum_ = std::max(maximum_, value);
}

void Histogram::add(const Histogram& other) {
    for (std::size_t step = 0; step < steps; ++step)
        counts_[step] += other.counts_[step];
    count_ += other.count_;
    sum_ += other.sum_;
    maximum_ = std::max(maximum_, other.maximum_);
}

std::uint64_t Histogram::percentile(double share) const {
    if (count_ == 0)
        return 0;
    const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
    std::uint64_t seen = 0;
    for (std::size_t step = 0; step < steps; ++step) {
        seen += counts_[step];
        if (seen >= wanted && seen > 0)
            return std::min(top_of(step), maximum_);
    }
    return maximum_;
}

double Histogram::mean() const {
    return count_ == 0 ? 0.0 : static_cast<double>(sum_) / static_cast<double>(count_);
}

} // namespace interposed::bench
