#pragma once

#include <array>
#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/socket.h>

namespace interposed::server {

/// Which algorithm decides how fast a TCP socket sends.
inline std::string congestion_control(int fd) {
    std::array<char, 16> name{}; // TCP_CA_NAME_MAX
    socklen_t length = name.size();
    REQUIRE(::getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name.data(), &length) == 0);
    return name.data();
}

} // namespace interposed::server
