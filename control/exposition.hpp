#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

/// What is told to those who watch a server.
namespace interposed::control {

/// The two text formats that Prometheus and its relatives read.
enum class Dialect : std::uint8_t {
    openmetrics, ///< OpenMetrics 1.0
    prometheus,  ///< Prometheus text 0.0.4
};

/// Writes metrics one after the other. Labels are what label() makes: ready to be written many
/// times.
class Exposition {
public:
    enum class Type : std::uint8_t { counter, gauge, info };

    explicit Exposition(Dialect dialect) : dialect_(dialect) {}

    /// `name="value"`, with what the formats want escaped in the value. What is no UTF-8 in it is
    /// replaced.
    static std::string label(std::string_view name, std::string_view value);

    /// The samples that follow are of this family. The name has no "_total" or "_info", but ends
    /// with the unit, if there is one.
    void family(Type type, std::string_view name, std::string_view unit, std::string_view help);
    void sample(std::initializer_list<std::string_view> labels, std::uint64_t value);
    void sample(std::chrono::nanoseconds value);

    /// The histograms that follow are of this family, in seconds.
    void histogram_family(std::string_view name, std::string_view help);
    /// One bucket for each bound, and one for what is above the last; not cumulative.
    template <typename Bounds, typename Counts>
    void histogram(std::string_view labels, const Bounds& bounds, const Counts& counts,
                   std::chrono::nanoseconds sum);

    /// The whole text.
    std::string finish() &&;

    void reserve(std::size_t bytes) { text_.reserve(bytes); }

private:
    void describe(std::string_view type, std::string_view name, std::string_view unit,
                  std::string_view help);
    void bucket(std::string_view labels, std::string_view bound, std::uint64_t count);
    void number(std::uint64_t value);
    void seconds(std::chrono::nanoseconds value);
    void end_of_histogram(std::string_view labels, std::uint64_t count,
                          std::chrono::nanoseconds sum);

    const Dialect dialect_;
    std::string text_;
    std::string name_; ///< of the current family's samples
};

/// A bound as both formats write it: "5e-06", "0.0025", "1.0". The same in both, so that a series
/// does not change its name when a scraper changes its mind.
std::string bound_text(std::chrono::nanoseconds bound);

template <typename Bounds, typename Counts>
void Exposition::histogram(std::string_view labels, const Bounds& bounds, const Counts& counts,
                           std::chrono::nanoseconds sum) {
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < bounds.size(); ++i) {
        total += counts[i];
        bucket(labels, bounds[i], total);
    }
    total += counts[bounds.size()];
    bucket(labels, "+Inf", total);
    end_of_histogram(labels, total, sum);
}

} // namespace interposed::control
