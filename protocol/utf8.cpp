#include "protocol/utf8.hpp"

namespace interposed::protocol {

std::size_t utf8_sequence(std::string_view text) {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto continues = [&](std::size_t i) { return i < text.size() && (at(i) & 0xC0) == 0x80; };
    const unsigned char first = at(0);
    if (first < 0x80)
        return 1;
    if (first >= 0xC2 && first <= 0xDF)
        return continues(1) ? 2 : 0;
    if ((first & 0xF0) == 0xE0) {
        if (!continues(1) || !continues(2))
            return 0;
        const bool overlong = first == 0xE0 && at(1) < 0xA0;
        const bool surrogate = first == 0xED && at(1) >= 0xA0;
        return overlong || surrogate ? 0 : 3;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        if (!continues(1) || !continues(2) || !continues(3))
            return 0;
        const bool overlong = first == 0xF0 && at(1) < 0x90;
        const bool too_high = first == 0xF4 && at(1) >= 0x90;
        return overlong || too_high ? 0 : 4;
    }
    return 0;
}

} // namespace interposed::protocol
