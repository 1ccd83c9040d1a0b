#pragma once

#include "devices/file_descriptor.hpp"
#include "tests/support/temporary_directory.hpp"

#include <array>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <vector>

namespace interposed::tests {

/// In the place of systemd, for this process: what it is told, and what it is given to keep.
class ServiceManager {
public:
    struct Kept {
        std::string name;
        devices::FileDescriptor fd;
    };

    ServiceManager() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        const std::string path = folder_.file("notify");
        sockaddr_un here{};
        here.sun_family = AF_UNIX;
        path.copy(here.sun_path, sizeof here.sun_path - 1);
        if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0)
            throw std::runtime_error("bind " + path);
        ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
        thread_ = std::thread([this] { receive(); });
    }
    ~ServiceManager() {
        ::unsetenv("NOTIFY_SOCKET");
        ::shutdown(socket_.get(), SHUT_RDWR);
        thread_.join();
    }
    ServiceManager(const ServiceManager&) = delete;
    ServiceManager& operator=(const ServiceManager&) = delete;

    [[nodiscard]] std::vector<std::string> told() const {
        const std::lock_guard lock(mutex_);
        return told_;
    }
    [[nodiscard]] std::vector<Kept> take() {
        const std::lock_guard lock(mutex_);
        return std::move(kept_);
    }

private:
    /// A descriptor that comes with a barrier is closed, which lets it pass.
    void receive() {
        for (;;) {
            std::array<char, 4096> text{};
            alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
            iovec part{text.data(), text.size()};
            msghdr header{};
            header.msg_iov = &part;
            header.msg_iovlen = 1;
            header.msg_control = control.data();
            header.msg_controllen = control.size();
            const ssize_t got = ::recvmsg(socket_.get(), &header, MSG_CMSG_CLOEXEC);
            if (got <= 0)
                return;
            devices::FileDescriptor passed;
            for (cmsghdr* each = CMSG_FIRSTHDR(&header); each != nullptr;
                 each = CMSG_NXTHDR(&header, each)) {
                int fd = -1;
                if (each->cmsg_level == SOL_SOCKET && each->cmsg_type == SCM_RIGHTS)
                    std::memcpy(&fd, CMSG_DATA(each), sizeof fd);
                if (fd >= 0)
                    passed = devices::FileDescriptor(fd);
            }
            take_in({text.data(), static_cast<std::size_t>(got)}, std::move(passed));
        }
    }

    void take_in(const std::string& text, devices::FileDescriptor passed) {
        const std::lock_guard lock(mutex_);
        const std::string store = "FDSTORE=1\nFDNAME=";
        if (text.starts_with(store))
            kept_.push_back({text.substr(store.size()), std::move(passed)});
        told_.push_back(text);
    }

    TemporaryDirectory folder_;
    devices::FileDescriptor socket_;
    mutable std::mutex mutex_;
    std::vector<std::string> told_;
    std::vector<Kept> kept_;
    std::thread thread_;
};

} // namespace interposed::tests
