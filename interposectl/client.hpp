#pragma once

#include "interposectl/json.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <sys/types.h>

namespace interposed::ctl {

/// A connection to a server's control socket. One call at a time.
class Client {
public:
    /// What a server may answer at most, in bytes: the table of a million segments is a half.
    static constexpr std::size_t largest_answer = std::size_t{256} << 20U;
    /// What a server takes at most, in bytes.
    static constexpr std::size_t largest_request = std::size_t{64} << 20U;

    /// Connects. Throws Unreachable, with what to do about it.
    explicit Client(const std::string& path);

    /// Takes over a connected socket; `name` is for messages.
    Client(int fd, std::string name, std::size_t largest = largest_answer);

    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client();

    /// The process at the other end, as numbered here; 0 if it cannot be told.
    [[nodiscard]] pid_t peer_process() const;

    /// The result, an object. Throws Refused for an error that the server answered and Unreachable
    /// for anything that is no answer.
    Json call(const std::string& method, const Json& params);

private:
    void send(const std::string& line);
    std::string receive_line();
    void receive_some();
    [[noreturn]] void refuse(const std::string& why) const;
    [[nodiscard]] Json parse(const std::string& line) const;
    [[nodiscard]] Json result_of(Json answer, std::uint64_t id) const;

    int fd_;
    std::string name_;
    std::size_t largest_;
    std::uint64_t last_id_ = 0;
    std::string inbox_; ///< received and not yet used
};

} // namespace interposed::ctl
