#pragma once

#include "config/sizes.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// Values as people read them.
namespace interposed::ctl {

/// The text without what a terminal would obey or hide: control characters of ASCII and Unicode
/// and those that turn the direction of writing become \u00XX. Lines may be kept.
std::string harmless(std::string_view text, bool keep_lines = false);

/// A name that somebody else has chosen: harmless, with quotes and backslashes escaped.
std::string printable(std::string_view name);

/// As printable(); the default export's empty name is "".
std::string export_name(std::string_view name);

/// How many columns of a terminal the text takes.
std::size_t width_of(std::string_view text);

/// The beginning of the text that is at most so wide.
std::string_view clipped(std::string_view text, std::size_t width);

using config::human_size;
using config::size_text;

/// "1 segment", "2 segments".
std::string counted(std::uint64_t count, const char* noun);

/// "800 us", "2.5 ms", "12.5 s", "3 h 12 min".
std::string duration_text(double seconds);

/// "2026-02-01 13:00:05", in local time; of the time alone, "13:00:05".
std::string time_text(double unix_seconds);
std::string clock_text(double unix_seconds);

/// With so many digits behind the point.
std::string fixed(double value, int digits);

} // namespace interposed::ctl
