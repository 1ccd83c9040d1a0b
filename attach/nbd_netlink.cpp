#include "attach/nbd_netlink.hpp"

#include <cerrno>
#include <linux/nbd-netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <new>
#include <stdexcept>

namespace interposed::attach {

namespace {

constexpr std::uint8_t family_version = NBD_GENL_VERSION;

/// libnl folds errors into fewer kinds of its own; the kernel's errno says more.
int keep_errno(sockaddr_nl* from, nlmsgerr* error, void* into) {
    (void)from;
    *static_cast<int*>(into) = -error->error;
    return NL_STOP;
}

} // namespace

struct NbdNetlink::Socket {
    nl_sock* handle = nl_socket_alloc();
    int family = 0;
    int error = 0; ///< errno of the last request

    Socket() {
        if (handle == nullptr)
            throw std::bad_alloc();
    }
    ~Socket() { nl_socket_free(handle); }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
};

/// A request; attributes that do not fit throw.
class NbdNetlink::Message {
public:
    Message(int family, std::uint8_t command) : message_(nlmsg_alloc()) {
        if (message_ == nullptr || genlmsg_put(message_, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, 0,
                                               command, family_version) == nullptr)
            throw std::bad_alloc();
    }
    ~Message() { nlmsg_free(message_); }
    Message(const Message&) = delete;
    Message& operator=(const Message&) = delete;

    void put_u32(int attribute, std::uint32_t value) {
        check(nla_put_u32(message_, attribute, value));
    }
    void put_u64(int attribute, std::uint64_t value) {
        check(nla_put_u64(message_, attribute, value));
    }
    /// All but what can be said only once.
    void put_export(const KernelExport& what, std::span<const int> sockets) {
        put_u32(NBD_ATTR_INDEX, what.index);
        put_u64(NBD_ATTR_SIZE_BYTES, what.size);
        put_u64(NBD_ATTR_BLOCK_SIZE_BYTES, what.block_size);
        put_u64(NBD_ATTR_TIMEOUT, what.timeout_s);
        put_u64(NBD_ATTR_DEAD_CONN_TIMEOUT, what.dead_conn_timeout_s);
        check(nla_put_string(message_, NBD_ATTR_BACKEND_IDENTIFIER, what.identifier.c_str()));
        if (!sockets.empty())
            put_sockets(sockets);
    }
    [[nodiscard]] nl_msg* get() const { return message_; }

private:
    void put_sockets(std::span<const int> sockets) {
        nlattr* const all = nla_nest_start(message_, NBD_ATTR_SOCKETS);
        for (const int socket : sockets) {
            nlattr* const one = nla_nest_start(message_, NBD_SOCK_ITEM);
            put_u32(NBD_SOCK_FD, static_cast<std::uint32_t>(socket));
            nla_nest_end(message_, one);
        }
        nla_nest_end(message_, all);
    }
    static void check(int result) {
        if (result < 0)
            throw std::length_error("netlink: a request has become too long");
    }
    nl_msg* message_;
};

NbdNetlink::NbdNetlink() : socket_(std::make_unique<Socket>()) {
    if (const int failed = genl_connect(socket_->handle); failed < 0)
        throw std::runtime_error(std::string("generic netlink: ") + nl_geterror(failed));
    socket_->family = genl_ctrl_resolve(socket_->handle, NBD_GENL_FAMILY_NAME);
    if (socket_->family < 0)
        throw std::runtime_error("the kernel has no nbd: want its module (modprobe nbd)");
    nl_socket_modify_err_cb(socket_->handle, NL_CB_CUSTOM, keep_errno, &socket_->error);
}

NbdNetlink::~NbdNetlink() = default;

void NbdNetlink::send(Message& message, unsigned index, const char* asked) {
    socket_->error = 0;
    int failed = nl_send_auto(socket_->handle, message.get());
    if (failed >= 0)
        failed = nl_wait_for_ack(socket_->handle);
    if (failed >= 0)
        return;
    const char* const wanted = socket_->error == EPERM ? ", which wants CAP_SYS_ADMIN" : "";
    throw NetlinkError(socket_->error != 0 ? socket_->error : EIO, std::generic_category(),
                       "/dev/nbd" + std::to_string(index) + ": " + asked + wanted);
}

void NbdNetlink::connect(const KernelExport& what, std::span<const int> sockets) {
    Message message(socket_->family, NBD_CMD_CONNECT);
    message.put_export(what, sockets);
    message.put_u64(NBD_ATTR_SERVER_FLAGS, what.flags);
    send(message, what.index, "connect");
}

void NbdNetlink::reconfigure(const KernelExport& what, std::span<const int> sockets) {
    Message message(socket_->family, NBD_CMD_RECONFIGURE);
    message.put_export(what, sockets);
    send(message, what.index, sockets.empty() ? "change of its size" : "reconfigure");
}

void NbdNetlink::disconnect(unsigned index) {
    Message message(socket_->family, NBD_CMD_DISCONNECT);
    message.put_u32(NBD_ATTR_INDEX, index);
    send(message, index, "disconnect");
}

} // namespace interposed::attach
