#include "config/reader.hpp"

#include "config/nearest.hpp"
#include "config/quotes.hpp"
#include "config/sizes.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace interposed::config {
namespace {

constexpr std::array<std::string_view, 9> top_keys = {
    "listen", "exports", "limits", "control", "state_dir", "metrics", "run_as", "tls", "log"};
constexpr std::array<std::string_view, 5> limit_keys = {
    "connections", "connections_per_client", "memory", "handshake_timeout_s", "keepalive_s"};
constexpr std::array<std::string_view, 8> listener_keys = {
    "unix", "tcp", "systemd", "mode", "owner", "group", "tls", "allow"};
constexpr std::array<std::string_view, 8> rule_keys = {
    "address", "user", "group", "tls_subject", "tls_common_name", "tls_san", "psk", "access"};
constexpr std::array<std::string_view, 15> export_keys = {
    "name",     "description", "claim",       "cache", "read_only",
    "optional", "tls",         "kernel_only", "allow", "max_connections",
    "qos",      "attach",      "interposed",  "table", "dm_table"};
constexpr std::array<std::string_view, 6> attach_keys = {
    "device", "connections", "timeout_s", "dead_conn_timeout_s", "block_size", "identifier"};
constexpr std::array<std::string_view, 7> interposed_keys = {"volume", "uuid",  "before",   "after",
                                                             "since",  "state", "fail_open"};
constexpr std::array<std::string_view, 5> segment_keys = {"kind", "device", "start", "offset",
                                                          "length"};
constexpr std::array<std::string_view, 5> qos_keys = {"iops", "iops_burst", "bandwidth",
                                                      "bandwidth_burst", "client"};
constexpr std::span<const std::string_view> rate_keys = std::span(qos_keys).first(4);
constexpr std::array<std::string_view, 6> control_keys = {"unix",  "mode",  "owner",
                                                          "group", "users", "groups"};
constexpr std::array<std::string_view, 4> run_as_keys = {"user", "group", "groups", "attach"};
constexpr std::array<std::string_view, 1> metrics_keys = {"listen"};
constexpr std::array<std::string_view, 8> tls_keys = {
    "mode", "certificate", "key", "ca", "crl", "client_certificates", "psk", "min_version"};
constexpr std::array<std::string_view, 2> log_keys = {"level", "format"};

bool has(const Level& level, std::string_view key) {
    return std::find(level.keys.begin(), level.keys.end(), key) != level.keys.end();
}

std::string unknown_key(std::string_view key, const Level& level) {
    const std::string text = "unknown key " + in_quotes(key) + " " + std::string(level.name);
    const bool is_misspelt = !nearest(key, level.keys).empty(); // "user" is rather "users"
    if (!is_misspelt && has(rule_level, key))
        return text + "; it belongs " + std::string(rule_level.name);
    for (const Level* const other :
         {&export_level, &segment_level, &listener_level, &limits_level, &top_level, &qos_level,
          &control_level, &log_level, &attach_level, &interposed_level, &tls_level, &run_as_level})
        if (has(*other, key) && !(is_misspelt && other == &run_as_level))
            return text + "; it belongs " + std::string(other->name);
    return text + hint(key, level.keys);
}

} // namespace

const Level top_level = {"at the top level", top_keys};
const Level limits_level = {"in \"limits\"", limit_keys};
const Level listener_level = {"in a listener", listener_keys};
const Level rule_level = {"in a rule", rule_keys};
const Level export_level = {"in an export", export_keys};
const Level segment_level = {"in a segment", segment_keys};
const Level table_level = {"in a table", std::span(export_keys).last(2)};
const Level tls_level = {"in \"tls\"", tls_keys};
const Level qos_level = {"in \"qos\"", qos_keys};
const Level client_qos_level = {"in \"client\"", rate_keys};
const Level attach_level = {"in \"attach\"", attach_keys};
const Level interposed_level = {"in \"interposed\"", interposed_keys};
const Level control_level = {"in \"control\"", control_keys};
const Level run_as_level = {"in \"run_as\"", run_as_keys};
const Level metrics_level = {"in \"metrics\"", metrics_keys};
const Level log_level = {"in \"log\"", log_keys};

Node Node::element(std::size_t i) const {
    return {std::get<Array>(value.data)[i], this, {}, i};
}

std::string Node::path() const {
    if (parent == nullptr)
        return {};
    const std::string step =
        std::holds_alternative<Object>(parent->value.data) ? path_step(key) : path_step(index);
    const std::string path = parent->path() + step;
    return path.starts_with('.') ? path.substr(1) : path;
}

Place Node::place() const {
    return {value.at.line, value.at.column, path()};
}

void Reader::fault(const Node& at, std::string message) {
    fault(at.place(), std::move(message));
}

void Reader::fault(const Place& place, std::string message) {
    faults_.push_back({place, std::move(message)});
}

void Reader::refuse(const Node& at, std::string_view wanted) {
    fault(at, "want " + std::string(wanted) + ", got " + found(at.value));
}

const Object* Reader::object(const Node& at, std::string_view wanted) {
    const auto* const object = std::get_if<Object>(&at.value.data);
    if (object == nullptr)
        refuse(at, wanted);
    return object;
}

const Array* Reader::array(const Node& at, std::string_view wanted) {
    const auto* const array = std::get_if<Array>(&at.value.data);
    if (array == nullptr)
        refuse(at, wanted);
    return array;
}

const std::string* Reader::text(const Node& at, std::string_view wanted) {
    const auto* const text = std::get_if<std::string>(&at.value.data);
    if (text == nullptr)
        refuse(at, wanted);
    return text;
}

std::optional<bool> Reader::truth(const Node& at) {
    if (const auto* const truth = std::get_if<bool>(&at.value.data))
        return *truth;
    refuse(at, "true or false");
    return std::nullopt;
}

std::optional<std::uint64_t> Reader::size(const Node& at) {
    if (const auto* const number = std::get_if<Number>(&at.value.data))
        return attempt(at, [number] { return parse_bytes(number->literal); });
    if (const auto* const text = std::get_if<std::string>(&at.value.data))
        return attempt(at, [text] { return parse_size(*text); });
    refuse(at, "a size such as 4096, \"10GiB\" or \"2048s\"");
    return std::nullopt;
}

std::optional<std::uint32_t> Reader::count(const Node& at, std::uint32_t least,
                                           std::uint32_t most) {
    const std::optional<std::uint64_t> value = number(at, least, most);
    return value ? std::optional(static_cast<std::uint32_t>(*value)) : std::nullopt;
}

std::optional<std::uint64_t> Reader::number(const Node& at, std::uint64_t least,
                                            std::uint64_t most) {
    const auto* const number = std::get_if<Number>(&at.value.data);
    std::uint64_t value = 0;
    if (number != nullptr) {
        const std::string_view digits = number->literal;
        const auto [end, error] = std::from_chars(digits.begin(), digits.end(), value);
        if (error == std::errc{} && end == digits.end() && value >= least && value <= most)
            return value;
    }
    refuse(at, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return std::nullopt;
}

std::optional<std::size_t> Reader::word(const Node& at, std::span<const std::string_view> known) {
    std::string wanted;
    for (const std::string_view one : known)
        wanted += (wanted.empty() ? "" : " or ") + in_quotes(one);
    const std::string* const text = this->text(at, wanted);
    if (text == nullptr)
        return std::nullopt;
    const auto same = std::find(known.begin(), known.end(), *text);
    if (same != known.end())
        return static_cast<std::size_t>(same - known.begin());
    const std::string_view meant = nearest(*text, known);
    fault(at, "want " + wanted + ", got " + in_quotes(*text) +
                  (meant.empty() ? "" : "; did you mean " + in_quotes(meant) + "?"));
    return std::nullopt;
}

Fields::Fields(Reader& reader, const Node& at, const Object& object, const Level& level)
    : reader_(reader), at_(at), object_(object), level_(level) {
    for (const Member& member : object) {
        if (has(level, member.key))
            continue;
        const Node node{member.value, &at, member.key};
        reader.fault(Place{member.at.line, member.at.column, node.path()},
                     unknown_key(member.key, level));
    }
}

std::optional<Node> Fields::find(std::string_view key) const {
    for (const Member& member : object_)
        if (member.key == key)
            return Node{member.value, &at_, member.key};
    return std::nullopt;
}

std::optional<std::size_t> Fields::word(std::string_view key,
                                        std::span<const std::string_view> known) const {
    const auto at = find(key);
    return at ? reader_.word(*at, known) : std::nullopt;
}

std::optional<Node> Fields::require(std::string_view key) {
    const std::optional<Node> found = find(key);
    if (!found)
        reader_.fault(at_, in_quotes(key) + " is missing " + std::string(level_.name));
    return found;
}

} // namespace interposed::config
