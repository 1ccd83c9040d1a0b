#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

/// The metadata contexts a client can ask BLOCK_STATUS about (proto.md, "Metadata querying"; for
/// "qemu:", docs/interop/nbd.rst of QEMU).
namespace interposed::server {

enum class Context : std::uint8_t {
    allocation,       ///< where there is data, where zeroes, where no space is taken
    allocation_depth, ///< how many layers down the data are: one, under a table over devices
};

struct ContextName {
    std::string_view name_space; ///< with its colon
    std::string_view name;
};

inline constexpr std::array context_names{
    ContextName{"base:", "base:allocation"},
    ContextName{"qemu:", "qemu:allocation-depth"},
};

/// The same on every connection, and never 0.
constexpr std::uint32_t context_id(Context context) {
    return static_cast<std::uint32_t>(context) + 1;
}

/// Some of the contexts.
class ContextSet {
public:
    static constexpr std::size_t size = context_names.size();

    constexpr void add(Context context) { bits_ |= bit(context); }
    [[nodiscard]] constexpr bool has(Context context) const { return (bits_ & bit(context)) != 0; }
    [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }

    friend constexpr bool operator==(ContextSet, ContextSet) = default;

private:
    static constexpr unsigned bit(Context context) { return 1U << static_cast<unsigned>(context); }
    unsigned bits_ = 0;
};

} // namespace interposed::server
