#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

/// What sysfs tells of the kernel's nbd devices (drivers/block/nbd.c: "pid", "backend"). Opens no
/// device.
namespace interposed::attach {

struct KernelDevice {
    unsigned index = 0;
    bool connected = false;       ///< somebody has attached it
    std::string owner;            ///< "nbd-client (pid 12)", as far as is known
    std::string identifier;       ///< of its backend; empty if whoever attached it gave none
    std::uint64_t size = 0;       ///< bytes
    std::uint32_t block_size = 0; ///< bytes
};

/// "/dev/nbd3" -> 3; nullopt for everything else.
std::optional<unsigned> index_of(const std::string& device);
std::string path_of(unsigned index);

/// nullopt: there is no such device yet; connecting to it makes one.
std::optional<KernelDevice> look_at(unsigned index);
/// The connected device that was attached under this identifier.
std::optional<KernelDevice> find_attached(const std::string& identifier);
/// The first that nobody has attached and that is none of these, or one that is still to be made.
unsigned find_free(const std::set<unsigned>& but = {});
/// The sockets' fate decides, but for a while after they are dead a device is still connected.
bool is_connected(unsigned index);
/// Whether a mapped device, or another that is made of devices, is made of this one.
bool is_built_upon(unsigned index);

} // namespace interposed::attach
