#include "config/services.hpp"

#include "config/device_name.hpp"
#include "config/listener_address.hpp"
#include "config/listeners.hpp"
#include "config/quotes.hpp"

#include <array>
#include <filesystem>
#include <utility>

namespace interposed::config {
namespace {

constexpr std::uint32_t owner_only = 0600;
constexpr std::uint16_t metrics_port = 9809;
constexpr std::string_view tcp_scheme = "tcp://";
constexpr std::string_view unix_scheme = "unix://";
constexpr const char* wanted_metrics = "\"tcp://host:port\" or \"tcp://[v6]:port\"";

[[noreturn]] void refuse(const std::string& wanted, std::string_view found) {
    throw std::invalid_argument("want " + wanted + ", got " + in_quotes(found));
}

UnixAddress parse_control(std::string_view text, const std::string& folder) {
    const std::size_t colon = text.find("://");
    const bool is_uri = colon < text.size() && text.find('/') == colon + 1;
    const bool is_right = text.starts_with(unix_scheme) && text.substr(colon + 3).starts_with('/');
    if (is_uri && !is_right)
        refuse("a path or \"unix:///path\"", text);
    return parse_unix(is_uri ? text.substr(colon + 3) : text, folder);
}

std::vector<std::string> read_accounts(Reader& reader, const Fields& fields, std::string_view key) {
    std::vector<std::string> accounts;
    const auto at = fields.find(key);
    const Array* const array = at ? reader.array(*at, "an array of names") : nullptr;
    for (std::size_t i = 0; array != nullptr && i < array->size(); ++i)
        if (auto account = read_account(reader, at->element(i)))
            accounts.push_back(std::move(*account));
    return accounts;
}

std::optional<UnixAddress> read_control_object(Reader& reader, const Node& at, const Object& object,
                                               const std::string& folder, Control& into) {
    Fields fields(reader, at, object, control_level);
    fields.require("unix");
    into.users = read_accounts(reader, fields, "users");
    into.groups = read_accounts(reader, fields, "groups");
    return read_socket(reader, fields, folder);
}

std::optional<Control> read_control(Reader& reader, const Node& at, const std::string& folder) {
    Control control;
    control.place = at.place();
    std::optional<UnixAddress> socket;
    if (const auto* const object = std::get_if<Object>(&at.value.data))
        socket = read_control_object(reader, at, *object, folder, control);
    else if (const auto* const text = reader.text(at, "a path, \"unix:///path\" or an object"))
        socket = reader.attempt(at, [&] { return parse_control(*text, folder); });
    if (!socket)
        return std::nullopt;
    control.socket = std::move(*socket);
    if (!control.socket.mode)
        control.socket.mode = owner_only;
    return control;
}

std::optional<std::string> read_state_dir(Reader& reader, const Node& at,
                                          const std::string& folder) {
    const std::string* const text = reader.text(at, "the path of a folder");
    if (text == nullptr)
        return std::nullopt;
    return reader.attempt(at, [&] {
        if (text->empty() || text->find('\0') != std::string::npos)
            refuse("the path of a folder", *text);
        return path_in(folder, *text);
    });
}

std::optional<RunAs> read_run_as(Reader& reader, const Node& at) {
    RunAs run_as;
    run_as.place = at.place();
    std::optional<std::string> user;
    if (const auto* const object = std::get_if<Object>(&at.value.data)) {
        Fields fields(reader, at, *object, run_as_level);
        user = read_account(reader, fields.require("user"));
        run_as.group = read_account(reader, fields.find("group"));
        if (fields.find("groups"))
            run_as.groups = read_accounts(reader, fields, "groups");
        if (const auto attach = fields.find("attach"))
            run_as.attach = reader.truth(*attach).value_or(false);
    } else if (reader.text(at, "a user, or an object with \"user\"") != nullptr) {
        user = read_account(reader, at);
    }
    if (!user)
        return std::nullopt;
    run_as.user = std::move(*user);
    return run_as;
}

TcpAddress parse_metrics(std::string_view text) {
    if (!text.starts_with(tcp_scheme))
        refuse(wanted_metrics, text);
    return parse_tcp(text.substr(tcp_scheme.size()), metrics_port);
}

std::optional<TcpAddress> read_metrics_address(Reader& reader, const Node& at,
                                               const std::string& wanted) {
    const std::string* const text = reader.text(at, wanted);
    if (text == nullptr)
        return std::nullopt;
    return reader.attempt(at, [text] { return parse_metrics(*text); });
}

std::optional<Metrics> read_metrics(Reader& reader, const Node& at) {
    std::optional<TcpAddress> listen;
    if (const auto* const object = std::get_if<Object>(&at.value.data)) {
        Fields fields(reader, at, *object, metrics_level);
        if (const auto address = fields.require("listen"))
            listen = read_metrics_address(reader, *address, wanted_metrics);
    } else {
        listen =
            read_metrics_address(reader, at, "a string such as \"tcp://host:port\" or an object");
    }
    return listen ? std::optional(Metrics{*listen, at.place()}) : std::nullopt;
}

Log read_log(Reader& reader, const Node& at) {
    constexpr std::array<std::string_view, 4> levels = {"error", "warning", "info", "debug"};
    constexpr std::array<std::string_view, 2> formats = {"text", "json"};
    Log log;
    const Object* const object = reader.object(at, "an object with \"level\" and \"format\"");
    if (object == nullptr)
        return log;
    const Fields fields(reader, at, *object, log_level);
    if (const auto word = fields.word("level", levels))
        log.level = static_cast<LogLevel>(*word);
    if (const auto word = fields.word("format", formats))
        log.format = static_cast<LogFormat>(*word);
    return log;
}

/// Whether two sockets would lie at one place, as far as their paths tell.
bool same_path(const UnixAddress& a, const UnixAddress& b) {
    return std::filesystem::path(a.path).lexically_normal() ==
           std::filesystem::path(b.path).lexically_normal();
}

bool same_fixed_port(const TcpAddress& a, const TcpAddress& b) {
    return a.port != 0 && a.port == b.port && a.host == b.host;
}

/// Two services in one place: the second to bind would fail, or push the first one out.
void keep_apart(Reader& reader, const Configuration& all) {
    for (const Listener& listener : all.listen) {
        const std::string found = ", got " + in_quotes(to_string(listener));
        if (all.control && listener.unix_socket &&
            same_path(all.control->socket, *listener.unix_socket))
            reader.fault(all.control->place,
                         "want another socket than that of " + listener.place.path + found);
        if (all.metrics && listener.tcp && same_fixed_port(all.metrics->listen, *listener.tcp))
            reader.fault(all.metrics->place,
                         "want another address than that of " + listener.place.path + found);
    }
}

} // namespace

void read_services(Reader& reader, const Fields& fields, const std::string& folder,
                   Configuration& into) {
    if (const auto control = fields.find("control"))
        into.control = read_control(reader, *control, folder);
    if (const auto state_dir = fields.find("state_dir"))
        into.state_dir = read_state_dir(reader, *state_dir, folder);
    if (const auto metrics = fields.find("metrics"))
        into.metrics = read_metrics(reader, *metrics);
    if (const auto run_as = fields.find("run_as"))
        into.run_as = read_run_as(reader, *run_as);
    if (const auto log = fields.find("log"))
        into.log = read_log(reader, *log);
    keep_apart(reader, into);
}

} // namespace interposed::config
