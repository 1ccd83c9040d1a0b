#include "config/listeners.hpp"

#include "config/access_rules.hpp"
#include "config/listener_address.hpp"
#include "config/quotes.hpp"
#include "config/tls.hpp"

#include <charconv>
#include <map>
#include <utility>

namespace interposed::config {
namespace {

[[noreturn]] void refuse(const std::string& wanted, std::string_view found) {
    throw std::invalid_argument("want " + wanted + ", got " + in_quotes(found));
}

std::uint32_t parse_mode(std::string_view text) {
    std::uint32_t mode = 0;
    const bool octal = text.find_first_not_of("01234567") == std::string_view::npos;
    const bool sized = text.size() == 3 || (text.size() == 4 && text.front() == '0');
    if (!octal || !sized)
        refuse("permissions as an octal string such as \"0660\"", text);
    std::from_chars(text.data(), text.data() + text.size(), mode, 8);
    return mode;
}

/// A user or group. Whether the name exists is asked when the configuration is resolved, or the
/// socket is made.
std::string parse_account(std::string_view text) {
    if (text.empty() || text.find('\0') != std::string_view::npos)
        refuse("a name or a number", text);
    constexpr std::uint32_t nobody = 0xFFFFFFFF; // means "leave it" to chown
    std::uint32_t number = 0;
    const bool numeric = text.find_first_not_of("0123456789") == std::string_view::npos;
    if (numeric &&
        (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc() ||
         number == nobody))
        refuse("a name or a number below 4294967295", text);
    return std::string(text);
}

template <class Parse>
auto read_text(Reader& reader, const std::optional<Node>& at, std::string_view wanted, Parse parse)
    -> std::optional<decltype(parse(std::string_view()))> {
    const std::string* const text = at ? reader.text(*at, wanted) : nullptr;
    if (text == nullptr)
        return std::nullopt;
    return reader.attempt(*at, [&] { return parse(*text); });
}

std::optional<Listener> read_unix(Reader& reader, const Fields& fields, const std::string& folder) {
    Listener listener;
    listener.unix_socket = read_socket(reader, fields, folder);
    listener.allow = read_rules(reader, fields, RulesOf::a_unix_listener);
    return listener.unix_socket ? std::optional(listener) : std::nullopt;
}

/// A listener that is no file of ours to set these of.
void refuse_permissions(Reader& reader, const Fields& fields, std::string_view what) {
    for (const std::string_view key : {"mode", "owner", "group"})
        if (const auto at = fields.find(key))
            reader.fault(*at,
                         in_quotes(key) + " belongs to a unix socket, not to " + std::string(what));
}

std::optional<Listener> read_systemd(Reader& reader, const Fields& fields) {
    refuse_permissions(reader, fields, "one that the service manager opens");
    Listener listener;
    listener.systemd =
        read_text(reader, fields.find("systemd"), "the name of a socket", parse_socket_name);
    return listener.systemd ? std::optional(listener) : std::nullopt;
}

std::optional<Listener> read_tcp(Reader& reader, const Fields& fields) {
    refuse_permissions(reader, fields, "a TCP listener");
    Listener listener;
    listener.tcp = read_text(reader, fields.find("tcp"), "\"host:port\"",
                             [](std::string_view text) { return parse_tcp(text); });
    listener.allow = read_rules(reader, fields, RulesOf::a_tcp_listener);
    return listener.tcp ? std::optional(listener) : std::nullopt;
}

std::optional<Listener> read_object(Reader& reader, const Node& at, const Object& object,
                                    const std::string& folder) {
    const Fields fields(reader, at, object, listener_level);
    const bool is_unix = fields.find("unix").has_value();
    const bool is_tcp = fields.find("tcp").has_value();
    const bool is_systemd = fields.find("systemd").has_value();
    const int kinds = int{is_unix} + int{is_tcp} + int{is_systemd};
    if (kinds != 1) {
        reader.fault(at, std::string("want exactly one of \"unix\", \"tcp\" and \"systemd\" in a "
                                     "listener, got ") +
                             (kinds == 0 ? "none" : "several"));
        return std::nullopt;
    }
    auto listener = is_systemd ? read_systemd(reader, fields)
                    : is_unix  ? read_unix(reader, fields, folder)
                               : read_tcp(reader, fields);
    const auto tls = fields.find("tls");
    const auto mode = tls ? read_tls_mode(reader, *tls) : std::nullopt;
    if (listener)
        listener->tls = mode;
    return listener;
}

std::optional<Listener> read_listener(Reader& reader, const Node& at, const std::string& folder) {
    std::optional<Listener> listener;
    if (const auto* const object = std::get_if<Object>(&at.value.data))
        listener = read_object(reader, at, *object, folder);
    else if (const auto* const text =
                 reader.text(at, "a string such as \"tcp://host:port\" or an object"))
        listener = reader.attempt(at, [text] { return parse_listener(*text); });
    if (listener)
        listener->place = at.place();
    return listener;
}

/// Whether a second listener on the same address must fail. Port 0 is another port each time.
bool is_fixed(const Listener& listener) {
    return !listener.tcp || listener.tcp->port != 0;
}

void find_duplicates(Reader& reader, const std::vector<Listener>& listeners) {
    std::map<std::string, const Listener*> first_with;
    for (const Listener& listener : listeners) {
        const auto [first, is_new] = first_with.emplace(to_string(listener), &listener);
        // Of two ports that are only alike, a reload could not tell which rules are whose.
        if (!is_new && (is_fixed(listener) || first->second->allow != listener.allow))
            reader.fault(listener.place, "want each listener once, got " + in_quotes(first->first) +
                                             " as in " + first->second->place.path);
    }
}

} // namespace

std::optional<std::string> read_account(Reader& reader, const std::optional<Node>& at) {
    if (const auto* const number = at ? std::get_if<Number>(&at->value.data) : nullptr)
        if (number->literal.find_first_not_of("0123456789") == std::string::npos)
            return reader.attempt(*at, [number] { return parse_account(number->literal); });
    return read_text(reader, at, "a name in quotes, or a number", parse_account);
}

std::optional<UnixAddress> read_socket(Reader& reader, const Fields& fields,
                                       const std::string& folder) {
    auto socket = read_text(reader, fields.find("unix"), "a path",
                            [&folder](std::string_view path) { return parse_unix(path, folder); });
    const auto mode = read_text(reader, fields.find("mode"),
                                "permissions as an octal string such as \"0660\"", parse_mode);
    const auto owner = read_account(reader, fields.find("owner"));
    const auto group = read_account(reader, fields.find("group"));
    if (!socket)
        return std::nullopt;
    socket->mode = mode;
    socket->owner = owner;
    socket->group = group;
    return socket;
}

std::vector<Listener> read_listeners(Reader& reader, const Node& at, const std::string& folder) {
    std::vector<Listener> listeners;
    const auto* const array = std::get_if<Array>(&at.value.data);
    const auto add = [&](const Node& one) {
        if (auto listener = read_listener(reader, one, folder))
            listeners.push_back(std::move(*listener));
    };
    if (array == nullptr)
        add(at);
    else if (array->empty())
        reader.fault(at, "want at least one listener, got an empty array");
    for (std::size_t i = 0; array != nullptr && i < array->size(); ++i)
        add(at.element(i));
    find_duplicates(reader, listeners);
    return listeners;
}

} // namespace interposed::config
