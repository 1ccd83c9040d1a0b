#include "control/socket.hpp"

#include "config/quotes.hpp"
#include "server/accounts.hpp"
#include "server/event.hpp"
#include "server/log.hpp"
#include "server/unix_socket.hpp"

#include <algorithm>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/read_until.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <deque>
#include <optional>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace interposed::control {

namespace log = server::log;

namespace {

template <typename Id>
Id known(const char* what, const std::string& name, std::optional<Id> found) {
    if (!found)
        throw std::runtime_error(std::string("control: want a ") + what + ", found " +
                                 config::in_quotes(name) + ", which there is not");
    return *found;
}

constexpr const char* denied =
    R"({"jsonrpc":"2.0","id":null,"error":{"code":8,"message":"this user may not control the )"
    R"(server","data":{"kind":"denied"}}})"
    "\n";
constexpr const char* too_long =
    R"({"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"want a request of at most 64 )"
    R"(MiB in one line, and one above 1 MiB at a time, found a longer one"}})";
constexpr const char* too_many =
    R"({"jsonrpc":"2.0","id":null,"error":{"code":7,"message":"want at most 16 requests at a )"
    R"(time, found more","data":{"kind":"busy"}}})";
constexpr const char* full =
    R"({"jsonrpc":"2.0","id":null,"error":{"code":7,"message":"want at most 64 control )"
    R"(connections, found as many","data":{"kind":"busy"}}})"
    "\n";

} // namespace

/// One client. Lives as long as anything of it is going on.
class ControlSocket::Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(ControlSocket& of, Socket socket)
        : of_(of), socket_(std::move(socket)), reading_deadline_(of.context_),
          writing_deadline_(of.context_), changed_(of.context_.get_executor()) {}

    asio::awaitable<void> run() {
        std::string received;
        std::error_code error;
        while (!error && !too_long_)
            co_await read_line(received, error);
        if (too_long_)
            send(too_long);
        while (!closed_ && (!answers_.empty() || (requests_ > 0 && !abandoned_)))
            co_await changed_.wait();
        if (requests_ == 0)
            give_up_long_line();
        close();
    }

    void close() {
        if (std::exchange(closed_, true))
            return;
        std::error_code ignored;
        socket_.close(ignored);
        reading_deadline_.cancel();
        writing_deadline_.cancel();
        abandon();
    }

private:
    /// One whole line, which is then being answered; an error ends the connection.
    asio::awaitable<void> read_line(std::string& received, std::error_code& error) {
        auto on_error = asio::redirect_error(asio::use_awaitable, error);
        if (received.find('\n') == std::string::npos && received.empty())
            co_await socket_.async_wait(Socket::wait_read, on_error);
        if (error)
            co_return;
        close_in(reading_deadline_, patience);
        auto usual = asio::dynamic_buffer(received, usual_line);
        std::size_t length = co_await asio::async_read_until(socket_, usual, '\n', on_error);
        if (error == asio::error::not_found && !of_.long_line_) {
            of_.long_line_ = has_long_line_ = true;
            error = {};
            auto longest = asio::dynamic_buffer(received, longest_line);
            length = co_await asio::async_read_until(socket_, longest, '\n', on_error);
        }
        reading_deadline_.cancel();
        if (error == asio::error::not_found) {
            too_long_ = true;
            error = {};
            co_return;
        }
        if (error) {
            if (!has_left())
                asio::co_spawn(of_.context_, watch(shared_from_this()), [](std::exception_ptr) {});
            else
                abandon();
            co_return;
        }
        std::string line = received.substr(0, length - 1);
        received.erase(0, length);
        received.shrink_to_fit();
        if (line.find_first_not_of(" \t\r") == std::string::npos)
            co_return;
        if (requests_ >= max_requests) {
            send(too_many);
            co_return;
        }
        ++requests_;
        auto answered = [self = shared_from_this()](std::exception_ptr) {
            --self->requests_;
            if (self->requests_ == 0)
                self->give_up_long_line();
            self->changed_.notify_all();
        };
        asio::co_spawn(of_.context_, answer(shared_from_this(), std::move(line)),
                       std::move(answered));
    }

    /// Whoever has gone does not wait for anything any more.
    void abandon() {
        abandoned_ = true;
        of_.methods_.abandon(*asker_);
        changed_.notify_all();
    }

    /// Whether the other side does not even read any more. One that has only said all it has to
    /// say, as a pipe into socat does, is waiting for its answers.
    [[nodiscard]] bool has_left() {
        pollfd asked{.fd = socket_.native_handle(), .events = POLLRDHUP, .revents = 0};
        return ::poll(&asked, 1, 0) <= 0 || (asked.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
    }

    static asio::awaitable<void> watch(std::shared_ptr<Connection> self) {
        std::error_code closed;
        co_await self->socket_.async_wait(Socket::wait_error,
                                          asio::redirect_error(asio::use_awaitable, closed));
        if (!self->closed_)
            self->abandon();
    }

    static asio::awaitable<void> answer(std::shared_ptr<Connection> self, std::string line) {
        std::string text = co_await self->of_.methods_.answer(std::move(line), self->asker_);
        if (!text.empty())
            self->send(std::move(text));
    }

    void send(std::string text) {
        if (closed_)
            return;
        if (answers_.size() >= max_answers) {
            close();
            return;
        }
        text += '\n';
        answers_.push_back(std::move(text));
        if (answers_.size() > 1)
            return;
        asio::co_spawn(of_.context_, write_all(shared_from_this()), [](std::exception_ptr) {});
    }

    static asio::awaitable<void> write_all(std::shared_ptr<Connection> self) {
        std::error_code error;
        auto on_error = asio::redirect_error(asio::use_awaitable, error);
        while (!error && !self->answers_.empty()) {
            self->close_in(self->writing_deadline_, patience);
            const auto what = asio::buffer(self->answers_.front());
            co_await asio::async_write(self->socket_, what, on_error);
            self->writing_deadline_.cancel();
            self->answers_.pop_front();
        }
        self->answers_.clear();
        if (error)
            self->close();
        self->changed_.notify_all();
    }

    void give_up_long_line() {
        if (std::exchange(has_long_line_, false))
            of_.long_line_ = false;
    }

    void close_in(asio::steady_timer& timer, std::chrono::seconds limit) {
        timer.expires_after(limit);
        timer.async_wait([weak = weak_from_this()](const std::error_code& cancelled) {
            const auto self = weak.lock();
            if (!cancelled && self)
                self->close();
        });
    }

    ControlSocket& of_;
    Socket socket_;
    asio::steady_timer reading_deadline_;
    asio::steady_timer writing_deadline_;
    server::Event changed_;
    std::deque<std::string> answers_;
    std::size_t requests_ = 0;
    const std::shared_ptr<Methods::Asker> asker_ = std::make_shared<Methods::Asker>();
    bool too_long_ = false;
    bool has_long_line_ = false;
    bool abandoned_ = false;
    bool closed_ = false;
};

ControlSocket::ControlSocket(asio::io_context& context, const config::Control& control,
                             Methods& methods)
    : context_(context), acceptor_(context), path_(control.socket.path), methods_(methods) {
    for (const std::string& name : control.users)
        users_.insert(known("user", name, server::find_user(name)));
    for (const std::string& name : control.groups)
        groups_.insert(known("group", name, server::find_group(name)));
    acceptor_.assign(asio::local::stream_protocol(), server::listen_on_unix_socket(control.socket));
}

ControlSocket::~ControlSocket() {
    close();
}

void ControlSocket::start() {
    asio::co_spawn(context_, accept_all(), [](std::exception_ptr) {});
    log::info("control: listening on unix://" + path_);
}

void ControlSocket::close() {
    if (acceptor_.is_open())
        server::remove_unix_socket(path_, acceptor_.release());
    const auto all = connections_;
    for (const auto& connection : all)
        connection->close();
}

asio::awaitable<void> ControlSocket::accept_all() {
    constexpr std::chrono::milliseconds pause_when_exhausted{100};
    while (acceptor_.is_open()) {
        std::error_code error;
        auto on_error = asio::redirect_error(asio::use_awaitable, error);
        Socket socket(context_);
        co_await acceptor_.async_accept(socket, on_error);
        if (error == asio::error::operation_aborted || error == asio::error::bad_descriptor)
            co_return;
        if (!error) {
            serve(std::move(socket));
            continue;
        }
        asio::steady_timer pause(context_, pause_when_exhausted);
        co_await pause.async_wait(on_error);
    }
}

void ControlSocket::serve(Socket socket) {
    std::error_code ignored;
    const auto peer = server::Credentials::of(socket.native_handle());
    if (!peer || !may(*peer)) {
        log::warning("control: turned away: " +
                     (peer ? "pid " + std::to_string(peer->pid) + " uid " +
                                 std::to_string(peer->uid)
                           : "a client that the kernel does not know"));
        (void)::send(socket.native_handle(), denied, std::char_traits<char>::length(denied),
                     MSG_DONTWAIT | MSG_NOSIGNAL);
        socket.close(ignored);
        return;
    }
    if (connections_.size() >= max_connections) {
        log::warning("control: turned away: want at most " + std::to_string(max_connections) +
                     " connections, found as many");
        (void)::send(socket.native_handle(), full, std::char_traits<char>::length(full),
                     MSG_DONTWAIT | MSG_NOSIGNAL);
        return;
    }
    const auto connection = std::make_shared<Connection>(*this, std::move(socket));
    connections_.insert(connection);
    asio::co_spawn(context_, connection->run(),
                   [this, connection](std::exception_ptr) { connections_.erase(connection); });
}

bool ControlSocket::may(const server::Credentials& peer) const {
    return peer.uid == 0 || peer.uid == ::geteuid() || users_.contains(peer.uid) ||
           std::any_of(groups_.begin(), groups_.end(),
                       [&peer](gid_t each) { return peer.in_group(each); });
}

} // namespace interposed::control
