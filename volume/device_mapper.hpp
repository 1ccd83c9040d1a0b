#pragma once

#include "volume/table.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

/// The kernel's device-mapper, through libdevmapper. Nothing here starts a program, and nothing
/// leaves a volume suspended.
namespace interposed::volume {

/// The kernel has refused, or there is no device-mapper. The message names the volume.
class MapperError : public std::runtime_error {
public:
    MapperError(const std::string& why, int error) : std::runtime_error(why), error_(error) {}
    [[nodiscard]] int error() const { return error_; } ///< errno; 0 if there is none

private:
    int error_;
};

/// What the kernel tells of one mapped device.
struct Mapped {
    std::string name = {};
    std::string uuid = {};
    DeviceNumber number = {};
    bool suspended = false;
    bool read_only = false;
    bool inactive_table = false;
    std::int32_t open_count = 0;
    Table live = {};
};

/// nullopt: there is no such device.
std::optional<Mapped> look_at(const std::string& name);
std::optional<Mapped> look_at(DeviceNumber number);
/// The table that is loaded and not live; empty if there is none.
Table inactive_table(const std::string& name);

/// Loads the table into the volume's inactive slot: opens and claims its devices, checks them, and
/// changes nothing for who uses the volume. Throws MapperError: EBUSY, somebody has claimed one.
void load(const std::string& name, const Table& table);
/// Drops the inactive table.
void clear(const std::string& name);
/// Whatever was begun and not finished with the volume: drops its inactive table and resumes it.
void unsuspend(const std::string& name);

/// Suspends the volume, puts the inactive table in the live one's place and resumes: one call of
/// the kernel, so that there is no moment at which the volume is suspended and this process could
/// fail to resume it. What is in flight may take `limit`. Returns how long it took. Throws
/// MapperError, and then the table from before is live and the volume is not suspended, if that
/// could be had at all.
std::chrono::microseconds swap_tables(const std::string& name, std::chrono::seconds limit);

} // namespace interposed::volume
