#include "devices/proc_tables.hpp"

#include "devices/kernel_files.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace interposed::devices {

namespace {

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
    std::vector<std::string_view> parts;
    for (std::size_t at = text.find_first_not_of(separators); at != std::string_view::npos;) {
        const std::size_t end = std::min(text.find_first_of(separators, at), text.size());
        parts.push_back(text.substr(at, end - at));
        at = text.find_first_not_of(separators, end);
    }
    return parts;
}

std::vector<std::string_view> lines_of(std::string_view text) {
    return split(text, "\n");
}

std::vector<std::string_view> words_of(std::string_view line) {
    return split(line, " \t");
}

bool is_octal(char c) {
    return c >= '0' && c <= '7';
}

/// "lock:\t1: OFDLCK  ADVISORY  READ -1 00:06:30 100 100"
bool parse_lock(const std::vector<std::string_view>& words, HeldLock& lock) {
    if (words.size() != 9 || words[0] != "lock:")
        return false;
    if (words[2] != "OFDLCK" && words[2] != "POSIX")
        return false; // flock() and leases know no bytes
    const auto first = parse_number(words[7]);
    const auto last = parse_number(words[8]);
    if (!first || (!last && words[8] != "EOF"))
        return false;
    lock.first = static_cast<off_t>(*first);
    lock.last = last ? static_cast<off_t>(*last) : std::numeric_limits<off_t>::max();
    return true;
}

} // namespace

std::vector<Mount> parse_mountinfo(std::string_view text) {
    std::vector<Mount> mounts;
    for (const std::string_view line : lines_of(text)) {
        const auto words = words_of(line);
        // Six words, any number of optional ones, a dash, type, source, options.
        const auto dash = std::find(words.begin() + std::min<std::ptrdiff_t>(6, std::ssize(words)),
                                    words.end(), "-");
        if (std::distance(dash, words.end()) < 3)
            continue;
        const auto device = parse_device_number(words[2]);
        const auto id = parse_number(words[0]);
        if (device && id)
            mounts.push_back({.device = *device,
                              .mount_point = unescape(words[4]),
                              .type = unescape(dash[1]),
                              .source = unescape(dash[2]),
                              .id = *id,
                              .options = std::distance(dash, words.end()) > 3 ? std::string(dash[3])
                                                                              : std::string()});
    }
    return mounts;
}

std::vector<Swap> parse_swaps(std::string_view text) {
    std::vector<Swap> swaps;
    for (const std::string_view line : lines_of(text)) {
        const auto words = words_of(line);
        if (words.size() < 5 || (words[1] != "partition" && words[1] != "file"))
            continue; // the heading
        Swap swap{.path = unescape(words[0]), .is_file = words[1] == "file", .deleted = false};
        swap.deleted = strip_deleted(swap.path);
        swaps.push_back(std::move(swap));
    }
    return swaps;
}

DescriptorState parse_fdinfo(std::string_view text) {
    DescriptorState state;
    for (const std::string_view line : lines_of(text)) {
        const auto words = words_of(line);
        HeldLock lock;
        if (parse_lock(words, lock))
            state.locks.push_back(lock);
        else if (words.size() == 2 && words[0] == "flags:")
            std::from_chars(words[1].data(), words[1].data() + words[1].size(), state.flags, 8);
    }
    return state;
}

std::string unescape(std::string_view word) {
    std::string plain;
    for (std::size_t at = 0; at < word.size(); ++at) {
        const std::string_view digits = word.substr(at + 1, 3);
        if (word[at] == '\\' && digits.size() == 3 &&
            std::all_of(digits.begin(), digits.end(), is_octal)) {
            plain += static_cast<char>((digits[0] - '0') * 64 + (digits[1] - '0') * 8 +
                                       (digits[2] - '0'));
            at += 3;
        } else {
            plain += word[at];
        }
    }
    return plain;
}

bool strip_deleted(std::string& path) {
    constexpr std::string_view mark = " (deleted)";
    if (!path.ends_with(mark))
        return false;
    path.resize(path.size() - mark.size());
    return true;
}

std::string printable(std::string_view text) {
    std::string safe(text);
    std::replace_if(
        safe.begin(), safe.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
    return safe;
}

} // namespace interposed::devices
