#include "config/config.hpp"
#include "config/dm_table.hpp"
#include "config/quotes.hpp"

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace interposed::config {
namespace {

std::string quoted(const std::string& text) {
    try {
        return nlohmann::json(text).dump();
    } catch (const nlohmann::json::type_error&) {
        throw std::invalid_argument("want UTF-8, got " + in_quotes(text));
    }
}

std::string word(bool truth) {
    return truth ? "true" : "false";
}

/// The members of an object. Put together by hand, since a tree of JSON values for a table of a
/// hundred thousand segments takes many times the memory and time of its text.
class Members {
public:
    explicit Members(std::string_view separator) : separator_(separator) {}

    void add(std::string_view key, std::string_view value) {
        text_.append(text_.empty() ? "" : separator_);
        text_.append("\"").append(key).append("\": ").append(value);
    }
    /// Zero means that there is none.
    void add_limit(std::string_view key, std::uint64_t value) {
        if (value != 0)
            add(key, std::to_string(value));
    }
    [[nodiscard]] std::string in_braces() const { return "{" + text_ + "}"; }
    [[nodiscard]] const std::string& text() const { return text_; }

private:
    std::string_view separator_;
    std::string text_;
};

void add_rate(Members& into, const RateLimit& limit) {
    into.add_limit("iops", limit.iops);
    into.add_limit("iops_burst", limit.iops_burst);
    into.add_limit("bandwidth", limit.bandwidth);
    into.add_limit("bandwidth_burst", limit.bandwidth_burst);
}

std::string text_of(const Qos& qos) {
    Members members(", ");
    add_rate(members, qos.all);
    Members client(", ");
    add_rate(client, qos.per_client);
    if (qos.per_client != RateLimit{})
        members.add("client", client.in_braces());
    return members.in_braces();
}

std::string text_of(const std::vector<std::string>& texts) {
    std::string text;
    for (const std::string& each : texts)
        text.append(text.empty() ? "" : ", ").append(quoted(each));
    return "[" + text + "]";
}

std::string who_by_address(const AccessRule& rule) {
    return rule.address ? to_string(*rule.address) : "unix";
}

/// Who is only an address and may do everything stands as the address alone.
bool is_address_alone(const AccessRule& rule) {
    AccessRule alone{.address = rule.address, .unix_socket = rule.unix_socket};
    return (rule.address || rule.unix_socket) && rule == alone;
}

std::string text_of(const AccessRule& rule) {
    if (is_address_alone(rule))
        return quoted(who_by_address(rule));
    Members members(", ");
    const auto add = [&members](std::string_view key, const auto& value, auto text) {
        if (value)
            members.add(key, quoted(text(*value)));
    };
    const auto name = [](const Account& account) { return account.name; };
    const auto itself = [](const std::string& text) { return text; };
    const auto string = [](const auto& value) { return to_string(value); };
    if (rule.address || rule.unix_socket)
        members.add("address", quoted(who_by_address(rule)));
    add("user", rule.user, name);
    add("group", rule.group, name);
    add("tls_subject", rule.tls_subject, string);
    add("tls_common_name", rule.tls_common_name, itself);
    add("tls_san", rule.tls_san, string);
    add("psk", rule.psk, itself);
    members.add("access", in_quotes(to_string(rule.access)));
    return members.in_braces();
}

std::string text_of(const Segment& segment) {
    Members members(", ");
    members.add("kind", "\"" + std::string(segment_kinds[0]) + "\"");
    members.add("device", quoted(segment.device));
    if (segment.start)
        members.add("start", std::to_string(*segment.start));
    members.add("offset", std::to_string(segment.offset));
    if (segment.length)
        members.add("length", std::to_string(*segment.length));
    return members.in_braces();
}

/// One segment a line, so that a fault names the line of one.
std::string text_of(const std::vector<Segment>& table) {
    std::string text;
    for (const Segment& segment : table)
        text.append(text.empty() ? "" : ",").append("\n    ").append(text_of(segment));
    return "[" + text + "\n  ]";
}

} // namespace

const char* to_string(Claim claim) {
    switch (claim) {
    case Claim::shared:
        return "shared";
    case Claim::adopted:
        return "adopted";
    case Claim::exclusive:
        break;
    }
    return "exclusive";
}

const char* to_string(Access access) {
    switch (access) {
    case Access::read_only:
        return "read_only";
    case Access::read_write:
        return "read_write";
    case Access::none:
        break;
    }
    return "none";
}

std::string to_json(const std::vector<AccessRule>& rules) {
    std::string text;
    for (const AccessRule& rule : rules)
        text.append(text.empty() ? "" : ", ").append(text_of(rule));
    return "[" + text + "]";
}

std::string to_json(const Attach& one) {
    Members members(", ");
    members.add("device", quoted(one.device));
    members.add("connections", std::to_string(one.connections));
    members.add("timeout_s", std::to_string(one.timeout_s));
    members.add("dead_conn_timeout_s", std::to_string(one.dead_conn_timeout_s));
    if (one.block_size)
        members.add("block_size", std::to_string(*one.block_size));
    if (!one.identifier.empty())
        members.add("identifier", quoted(one.identifier));
    return members.in_braces();
}

std::string to_json(const Interposition& one) {
    Members members(", ");
    members.add("volume", quoted(one.volume));
    members.add("uuid", quoted(one.uuid));
    members.add("before", text_of(one.before));
    members.add("after", text_of(one.after));
    members.add("since", quoted(one.since));
    members.add("state", quoted(one.state));
    members.add("fail_open", word(one.fail_open));
    return members.in_braces();
}

std::string to_json(const Export& one) {
    Members members(",\n  ");
    members.add("name", quoted(one.name));
    members.add("description", quoted(one.description));
    members.add("claim", in_quotes(to_string(one.claim)));
    if (one.cache != Cache::automatic)
        members.add("cache", one.cache == Cache::direct ? "\"direct\"" : "\"buffered\"");
    members.add("read_only", word(one.read_only));
    members.add("optional", word(one.optional));
    if (one.requires_tls)
        members.add("tls", in_quotes("require"));
    if (one.kernel_only)
        members.add("kernel_only", word(true));
    if (one.allow)
        members.add("allow", to_json(*one.allow));
    if (one.max_connections)
        members.add("max_connections", std::to_string(*one.max_connections));
    if (one.qos != Qos{})
        members.add("qos", text_of(one.qos));
    if (one.attach)
        members.add("attach", to_json(*one.attach));
    if (one.interposed)
        members.add("interposed", to_json(*one.interposed));
    members.add("table", text_of(one.table));
    return "{\n  " + members.text() + "\n}\n";
}

} // namespace interposed::config
