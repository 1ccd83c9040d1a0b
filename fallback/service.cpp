#include "fallback/service.hpp"

#include "protocol/transmission.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <new>
#include <sys/socket.h>
#include <sys/uio.h>

namespace interposed::fallback {
namespace {

using protocol::Command;
using protocol::Framing;
using protocol::Request;
using protocol::WireError;
namespace flag = protocol::command_flag;

/// Room for what O_DIRECT reads and writes. What the kernel sends is hardly ever larger than it is
/// made at first.
class Buffer {
public:
    Buffer() { make(std::size_t{2} << 20U); }

    std::byte* of(std::size_t size) {
        if (size > size_)
            make(size);
        return bytes_.get();
    }

private:
    void make(std::size_t size) {
        constexpr std::size_t page = 4096;
        size_ = (size + page - 1) / page * page;
        bytes_.reset(); // first: there need not be room for both
        bytes_.reset(static_cast<std::byte*>(std::aligned_alloc(page, size_)));
        if (bytes_ == nullptr)
            throw std::bad_alloc();
    }
    struct Free {
        void operator()(std::byte* bytes) const { std::free(bytes); }
    };
    std::unique_ptr<std::byte, Free> bytes_;
    std::size_t size_ = 0;
};

/// False: the other end is gone.
bool receive(int socket, std::byte* into, std::size_t length) {
    while (length > 0) {
        const ssize_t got = ::recv(socket, into, length, MSG_WAITALL);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        into += got;
        length -= static_cast<std::size_t>(got);
    }
    return true;
}

bool send(int socket, std::byte* from, std::size_t length) {
    while (length > 0) {
        const ssize_t put = ::send(socket, from, length, MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        from += put;
        length -= static_cast<std::size_t>(put);
    }
    return true;
}

class Service {
public:
    Service(int socket, Disks& disks) : socket_(socket), disks_(disks) {}

    void run() {
        std::array<std::byte, protocol::request_size(Framing::simple)> header{};
        while (receive(socket_, header.data(), header.size())) {
            const auto request = protocol::decode_request(Framing::simple, header.data());
            if (!request || request->command == Command::disconnect || !answer(*request))
                return;
        }
    }

private:
    /// False: nothing more can be said or heard.
    bool answer(const Request& request) {
        const bool payload = protocol::has_payload(Framing::simple, request);
        if (payload && request.length > protocol::max_payload)
            return false;
        if (payload && !receive(socket_, buffer_.of(request.length), request.length))
            return false;
        const WireError error = carry_out(request);
        std::array<std::byte, protocol::simple_reply_size> reply{};
        protocol::encode_simple_reply(reply.data(), request.cookie, error);
        if (!send(socket_, reply.data(), reply.size()))
            return false;
        const bool data = request.command == Command::read && error == WireError::none;
        return !data || send(socket_, buffer_.of(request.length), request.length);
    }

    WireError carry_out(const Request& request) {
        if (request.command == Command::flush)
            return protocol::to_wire(disks_.flush());
        const mapping::Extent extent{.offset = request.offset, .length = request.length};
        if (!extent.fits(disks_.size()) ||
            (request.command == Command::read && request.length > protocol::max_payload))
            return WireError::einval;
        const int error = change_or_read(request, extent);
        return error == EOPNOTSUPP ? WireError::enotsup : protocol::to_wire(error);
    }

    int change_or_read(const Request& request, mapping::Extent extent) {
        const bool fua = request.has(flag::fua);
        const auto stable = [&](int error) { return error == 0 && fua ? disks_.flush() : error; };
        switch (request.command) {
        case Command::read:
            return disks_.read(extent, buffer_.of(request.length));
        case Command::write:
            return disks_.write(extent, buffer_.of(request.length), fua);
        case Command::trim:
            return stable(disks_.trim(extent));
        case Command::write_zeroes:
            return stable(disks_.write_zeroes(extent, {.no_hole = request.has(flag::no_hole),
                                                       .fast = request.has(flag::fast_zero)}));
        default:
            return EINVAL;
        }
    }

    int socket_;
    Disks& disks_;
    Buffer buffer_;
};

} // namespace

void serve(int socket, Disks& disks) {
    Service(socket, disks).run();
}

} // namespace interposed::fallback
