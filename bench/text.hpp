#pragma once

#include <cstdint>
#include <string>

/// Numbers as people read and write them.
namespace interposed::bench {

std::string hex(std::uint64_t value);

/// "4 KiB", "1 MiB"; plain bytes where no unit divides it.
std::string size_text(std::uint64_t bytes);

/// "4096", "4k", "4KiB", "1MiB", "2GiB". Throws std::invalid_argument naming `what`.
std::uint64_t parse_size(const std::string& what, const std::string& text);

/// A whole number within [least, most]. Throws std::invalid_argument naming `what`.
std::uint64_t parse_count(const std::string& what, const std::string& text, std::uint64_t least,
                          std::uint64_t most);

/// Seconds, with a fraction if wanted. Throws std::invalid_argument naming `what`.
double parse_seconds(const std::string& what, const std::string& text);

/// printf into a string, for the numbers of a report.
[[gnu::format(printf, 1, 2)]] std::string format(const char* pattern, ...);

} // namespace interposed::bench
