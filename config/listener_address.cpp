#include "config/listener_address.hpp"

#include "config/addresses.hpp"
#include "config/ascii.hpp"
#include "config/device_name.hpp"
#include "config/quotes.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <utility>

namespace interposed::config {
namespace {

constexpr std::size_t longest_socket_path = 107; // sun_path has 108 bytes with the NUL
constexpr std::size_t longest_host = 253;
constexpr std::string_view tcp_scheme = "tcp://";
constexpr std::string_view unix_scheme = "unix://";
constexpr std::string_view systemd_word = "systemd";
constexpr std::size_t longest_socket_name = 255;

[[noreturn]] void refuse(const std::string& wanted, std::string_view found) {
    throw std::invalid_argument("want " + wanted + ", got " + in_quotes(found));
}

bool is_host_name(std::string_view text) {
    return !text.empty() && text.size() <= longest_host && !text.starts_with('.') &&
           !text.starts_with('-') && std::all_of(text.begin(), text.end(), [](char c) {
               return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
           });
}

/// The text between the brackets in one spelling of several; a zone such as %eth0 is kept.
std::string parse_v6_host(std::string_view host, std::string_view whole) {
    const std::size_t zone = std::min(host.find('%'), host.size());
    const std::optional<Address> address = parse_address(host.substr(0, zone));
    const std::string_view name = host.substr(std::min(zone + 1, host.size()));
    const bool zoned = zone < host.size();
    if (!address || !address->v6 || zoned != is_host_name(name))
        refuse("an IPv6 address in the brackets", whole);
    return to_string(*address) + std::string(host.substr(zone));
}

/// Digits and dots alone are no name: "127.1" and "300.0.0.1" are wrong addresses.
std::string parse_plain_host(std::string_view host, std::string_view whole) {
    if (host.empty())
        refuse("a host before the port (0.0.0.0 or [::] for all addresses)", whole);
    if (host.find(':') != std::string_view::npos)
        refuse("an IPv6 address in brackets", whole);
    const bool numeric = host.find_first_not_of("0123456789.") == std::string_view::npos;
    if (numeric ? !parse_address(host) : !is_host_name(host))
        refuse("a host name, an IPv4 address or an IPv6 address in brackets", whole);
    return lower_case(host);
}

std::uint16_t parse_port(std::string_view text, std::string_view whole) {
    std::uint16_t port = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, port);
    if (error != std::errc() || stop != end)
        refuse("a port from 0 to 65535 behind the colon", whole);
    return port;
}

} // namespace

TcpAddress parse_tcp(std::string_view text, std::uint16_t default_port) {
    TcpAddress address;
    address.port = default_port;
    std::string_view port;
    if (text.starts_with('[')) {
        const std::size_t close = text.find(']');
        if (close == std::string_view::npos)
            refuse("a closing bracket behind the IPv6 address", text);
        address.host = parse_v6_host(text.substr(1, close - 1), text);
        port = text.substr(close + 1);
    } else {
        const std::size_t colon = std::min(text.rfind(':'), text.size());
        address.host = parse_plain_host(text.substr(0, colon), text);
        port = text.substr(colon);
    }
    if (!port.empty() && !port.starts_with(':'))
        refuse("a colon and a port behind the bracket", text);
    if (!port.empty())
        address.port = parse_port(port.substr(1), text);
    return address;
}

UnixAddress parse_unix(std::string_view text, const std::string& folder) {
    std::string path = text.empty() ? std::string() : path_in(folder, text);
    if (path.empty() || path.find('\0') != std::string::npos || path.ends_with('/'))
        refuse("the path of a socket", path);
    if (path.size() > longest_socket_path)
        throw std::invalid_argument("want a socket path of at most 107 bytes, got " +
                                    std::to_string(path.size()) + ": " + in_quotes(path));
    UnixAddress address;
    address.path = std::move(path);
    return address;
}

std::string parse_socket_name(std::string_view text) {
    const bool allowed = std::all_of(text.begin(), text.end(),
                                     [](char c) { return ' ' <= c && c <= '~' && c != ':'; });
    if (text.empty() || text.size() > longest_socket_name || !allowed)
        refuse("the name of a socket: 1 to 255 ASCII characters, and no colon", text);
    return std::string(text);
}

Listener parse_listener(std::string_view uri) {
    Listener listener;
    if (uri == systemd_word)
        listener.systemd.emplace();
    else if (uri.starts_with(systemd_word) && uri.substr(systemd_word.size()).starts_with(':'))
        listener.systemd = parse_socket_name(uri.substr(systemd_word.size() + 1));
    else if (uri.starts_with(tcp_scheme))
        listener.tcp = parse_tcp(uri.substr(tcp_scheme.size()));
    else if (uri.starts_with(unix_scheme) && uri.substr(unix_scheme.size()).starts_with('/'))
        listener.unix_socket = parse_unix(uri.substr(unix_scheme.size()), "/");
    else
        refuse("\"tcp://host:port\", \"tcp://[v6]:port\", \"unix:///path\" or \"systemd\"", uri);
    return listener;
}

std::string to_string(const Listener& listener) {
    if (listener.unix_socket)
        return std::string(unix_scheme) + listener.unix_socket->path;
    if (listener.systemd)
        return std::string(systemd_word) +
               (listener.systemd->empty() ? "" : ":" + *listener.systemd);
    const std::string& host = listener.tcp->host;
    const bool v6 = host.find(':') != std::string::npos;
    return std::string(tcp_scheme) + (v6 ? "[" + host + "]" : host) + ":" +
           std::to_string(listener.tcp->port);
}

} // namespace interposed::config
