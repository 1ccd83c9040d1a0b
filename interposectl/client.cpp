#include "interposectl/client.hpp"

#include "interposectl/errors.hpp"

#include <cerrno>
#include <cstring>
#include <string_view>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace interposed::ctl {
namespace {

constexpr std::size_t receive_size = std::size_t{256} << 10U;
/// A few are enough for the protocol; values deeper than the stack could not even be printed.
constexpr int deepest = 64;

/// What people can do about it says more than errno's own text.
std::string connect_reason(int error) {
    switch (error) {
    case ENOENT:
        return "there is no such socket; is the server running, with \"control\" in its "
               "configuration?";
    case ECONNREFUSED:
        return "nobody listens there; the server that made it is gone";
    case EACCES:
    case EPERM:
        return "permission denied; the configuration's \"control\" says who may";
    case ENOTSOCK:
    case EPROTOTYPE:
        return "that is no stream socket";
    default:
        return std::generic_category().message(error);
    }
}

[[noreturn]] void cannot_reach(const std::string& path, const std::string& why) {
    throw Unreachable("cannot reach the server at " + path + ": " + why);
}

int connect_to(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path)
        cannot_reach(path, "want a path of 1 to " + std::to_string(sizeof address.sun_path - 1) +
                               " bytes, found " + std::to_string(path.size()));
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        cannot_reach(path, std::generic_category().message(errno));
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
        return fd;
    const int error = errno;
    ::close(fd);
    // connect(2) says of a plain file what it says of a socket nobody listens on.
    struct stat found {};
    const bool other = ::stat(path.c_str(), &found) == 0 && !S_ISSOCK(found.st_mode);
    cannot_reach(path, connect_reason(error == ECONNREFUSED && other ? ENOTSOCK : error));
}

/// Not by the library's callback: with one it goes over an array again for each element.
bool is_too_deep(std::string_view json) {
    int depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < json.size(); ++i) {
        const char c = json[i];
        if (in_string && c == '\\')
            ++i;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == '[' || c == '{') && ++depth > deepest)
            return true;
        else if (!in_string && (c == ']' || c == '}'))
            --depth;
    }
    return false;
}

bool is_error_object(const Json& error) {
    return error.is_object() && error.contains("code") && error["code"].is_number_integer() &&
           error.contains("message") && error["message"].is_string();
}

} // namespace

Client::Client(const std::string& path) : Client(connect_to(path), path) {}

Client::Client(int fd, std::string name, std::size_t largest)
    : fd_(fd), name_(std::move(name)), largest_(largest) {}

Client::~Client() {
    ::close(fd_);
}

pid_t Client::peer_process() const {
    ucred peer{};
    socklen_t size = sizeof peer;
    return ::getsockopt(fd_, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

void Client::refuse(const std::string& why) const {
    throw Unreachable("the server at " + name_ + " " + why);
}

Json Client::call(const std::string& method, const Json& params) {
    const Json request = {
        {"jsonrpc", "2.0"}, {"id", ++last_id_}, {"method", method}, {"params", params}};
    const std::string line = request.dump() + "\n";
    if (line.size() > largest_request)
        throw LocalFailure(method + ": want a request of at most 64 MiB, found " +
                           std::to_string(line.size()) + " bytes");
    send(line);
    return result_of(parse(receive_line()), last_id_);
}

/// A server that turns us away may have said why and closed already: that is read next.
void Client::send(const std::string& line) {
    for (std::size_t sent = 0; sent < line.size();) {
        const ssize_t put = ::send(fd_, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
        if (put >= 0)
            sent += static_cast<std::size_t>(put);
        else if (errno == EPIPE || errno == ECONNRESET)
            return;
        else if (errno != EINTR)
            refuse("cannot be talked to: " + std::generic_category().message(errno));
    }
}

std::string Client::receive_line() {
    for (std::size_t searched = 0;;) {
        const std::size_t end = inbox_.find('\n', searched);
        if (end != std::string::npos) {
            std::string line = inbox_.substr(0, end);
            inbox_.erase(0, end + 1);
            return line;
        }
        searched = inbox_.size();
        if (searched > largest_)
            refuse("answered more than " + std::to_string(largest_) + " bytes");
        // Others greet with no line end at all and would keep us waiting.
        if (searched > 0 && inbox_.front() != '{')
            refuse("speaks another protocol");
        receive_some();
    }
}

void Client::receive_some() {
    const std::size_t before = inbox_.size();
    inbox_.resize(before + receive_size);
    ssize_t got = 0;
    do
        got = ::recv(fd_, inbox_.data() + before, receive_size, 0);
    while (got < 0 && errno == EINTR);
    const int error = errno;
    inbox_.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
    if (got < 0 && error != ECONNRESET)
        refuse("cannot be heard: " + std::generic_category().message(error));
    if (got <= 0)
        refuse(before == 0 ? "closed the connection without an answer"
                           : "closed the connection in the middle of its answer");
}

Json Client::parse(const std::string& line) const {
    if (is_too_deep(line))
        refuse("answered what is no answer: values nested too deep");
    try {
        return Json::parse(line);
    } catch (const Json::parse_error& why) {
        refuse("answered what is not JSON, at byte " + std::to_string(why.byte));
    } catch (const Json::exception&) { // a number too large for any type
        refuse("answered what is not JSON");
    }
}

Json Client::result_of(Json answer, std::uint64_t id) const {
    if (!answer.is_object())
        refuse("answered what is no JSON-RPC");
    if (answer.contains("error")) {
        Json& error = answer["error"];
        if (!is_error_object(error))
            refuse("answered an error without code and message");
        if (error["code"] == code_unknown_method)
            error["message"] = error["message"].get<std::string>() +
                               "; is the server older than this interposectl?";
        throw Refused(std::move(error));
    }
    if (!answer.contains("id") || answer["id"] != id)
        refuse("answered a question that was not asked");
    if (!answer.contains("result") || !answer["result"].is_object())
        refuse("answered without a result");
    return std::move(answer["result"]);
}

} // namespace interposed::ctl
