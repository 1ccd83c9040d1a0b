#include "config/nearest.hpp"

#include "config/quotes.hpp"

#include <algorithm>
#include <array>

namespace interposed::config {
namespace {

constexpr std::size_t longest_word = 32; // no known word comes near it

char lower(char c) {
    return 'A' <= c && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// How many letters must be added, left out, replaced or swapped with the next to get from one
/// word to the other. Capitals count as small letters.
std::size_t distance(std::string_view a, std::string_view b) {
    using Row = std::array<std::size_t, longest_word + 1>;
    Row before{};
    Row last{};
    Row row{};
    for (std::size_t j = 0; j <= b.size(); ++j)
        last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const bool same = lower(a[i - 1]) == lower(b[j - 1]);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0U : 1U)});
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1]))
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
        before = last;
        last = row;
    }
    return last[b.size()];
}

} // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> known) {
    if (word.empty() || word.size() > longest_word)
        return {};
    std::string_view best;
    std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const std::string_view candidate : known) {
        const std::size_t far = distance(word, candidate);
        if (far < best_distance && far < candidate.size()) {
            best = candidate;
            best_distance = far;
        }
    }
    return best;
}

std::string hint(std::string_view word, std::span<const std::string_view> known) {
    if (const std::string_view meant = nearest(word, known); !meant.empty())
        return "; did you mean " + in_quotes(meant) + "?";
    std::string text = "; known: ";
    for (std::size_t i = 0; i < known.size(); ++i)
        text += (i > 0 ? ", " : "") + std::string(known[i]);
    return text;
}

} // namespace interposed::config
