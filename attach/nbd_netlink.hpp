#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <system_error>

/// The kernel's nbd driver, told by generic netlink what to serve where (linux/nbd-netlink.h,
/// drivers/block/nbd.c), as `nbd-client` does, without a process that has to stay.
namespace interposed::attach {

/// What the kernel is told of an export.
struct KernelExport {
    unsigned index = 0;             ///< of /dev/nbdINDEX
    std::uint64_t size = 0;         ///< bytes
    std::uint32_t block_size = 512; ///< bytes: what the device will call its logical block
    std::uint16_t flags = 0;        ///< the protocol's transmission flags
    std::uint32_t timeout_s = 0;    ///< then a request is sent again
    /// For so long requests wait for a socket when there is none left; then they fail.
    std::uint32_t dead_conn_timeout_s = 0;
    std::string identifier; ///< who may reconfigure it later
};

/// The kernel has refused; the code is its errno, what() names the device and what was asked for.
class NetlinkError : public std::system_error {
public:
    using std::system_error::system_error;
};

/// One netlink socket. Calls wait for the kernel: nbd takes locks of the device that I/O may hold.
/// Not thread-safe; cheap to make.
class NbdNetlink {
public:
    /// Throws std::runtime_error that says what is missing: the module, or a privilege.
    NbdNetlink();
    ~NbdNetlink();
    NbdNetlink(const NbdNetlink&) = delete;
    NbdNetlink& operator=(const NbdNetlink&) = delete;

    /// Attaches a free device. The kernel takes references of its own to the sockets. Throws
    /// NetlinkError: EBUSY, it is in use; ENOENT and EINVAL, there is no such device.
    void connect(const KernelExport& what, std::span<const int> sockets);
    /// Gives it sockets, if there are any, in place of those that are dead, and tells it of a new
    /// size. Success does not mean that a socket was taken: where none was dead the kernel closes
    /// it and says nothing. Throws NetlinkError: EINVAL, it is not connected, or another
    /// identifier's.
    void reconfigure(const KernelExport& what, std::span<const int> sockets);
    /// Says goodbye on every socket and frees the device. What is in flight fails.
    void disconnect(unsigned index);

private:
    struct Socket;
    class Message;
    void send(Message& message, unsigned index, const char* asked);

    std::unique_ptr<Socket> socket_;
};

} // namespace interposed::attach
