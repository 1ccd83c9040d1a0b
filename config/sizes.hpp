#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace interposed::config {

/// The largest size and the farthest end of anything: what an off_t can count.
inline constexpr std::uint64_t largest_size = (std::uint64_t{1} << 63U) - 1;
inline constexpr std::uint64_t sector_size = 512;

/// The bytes of a JSON number as written. Throws std::invalid_argument.
std::uint64_t parse_bytes(std::string_view literal);

/// The bytes of a text such as "10GiB" or "2048s". Throws std::invalid_argument.
std::uint64_t parse_size(std::string_view text);

/// The bytes of a count of sectors, decimal digits alone. Throws std::invalid_argument.
std::uint64_t parse_sectors(std::string_view text);

/// For people: "512 B", "10 GiB", "1.46 KiB": the largest unit that leaves a whole number before
/// the point.
std::string human_size(std::uint64_t bytes);

/// Exact, and readable: "4096 (4 KiB)"; what is small is clear without.
std::string size_text(std::uint64_t bytes);

} // namespace interposed::config
