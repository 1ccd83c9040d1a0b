#include "config/attach.hpp"

#include "config/quotes.hpp"
#include "config/sizes.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <functional>
#include <map>

namespace interposed::config {
namespace {

constexpr std::string_view device_prefix = "/dev/nbd";
constexpr unsigned highest_device = 65535;
constexpr std::size_t longest_identifier = 64;
constexpr std::uint32_t most_connections = 16;
constexpr std::uint32_t longest_timeout_s = 3600;
constexpr std::uint32_t longest_dead_s = 86400;

bool is_device(const std::string& text) {
    if (text == "auto")
        return true;
    if (!text.starts_with(device_prefix))
        return false;
    unsigned number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + device_prefix.size(), end, number);
    return error == std::errc() && stop == end && number <= highest_device &&
           text == std::string(device_prefix) + std::to_string(number);
}

bool is_identifier(const std::string& text) {
    const auto is_allowed = [](unsigned char c) {
        return c < 0x80 && (std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-');
    };
    return !text.empty() && text.size() <= longest_identifier && text.front() != '.' &&
           std::all_of(text.begin(), text.end(), is_allowed);
}

std::string read_device(Reader& reader, const Node& at) {
    const std::string* const text = reader.text(at, R"("/dev/nbdN" or "auto")");
    if (text == nullptr)
        return {};
    if (!is_device(*text))
        reader.refuse(at, R"("/dev/nbdN" or "auto")");
    return *text;
}

void read_seconds(Reader& reader, const Fields& fields, std::string_view key, std::uint32_t most,
                  std::uint32_t& into) {
    if (const auto at = fields.find(key))
        into = reader.count(*at, 1, most).value_or(into);
}

void read_block_size(Reader& reader, const Fields& fields, Attach& into) {
    const auto at = fields.find("block_size");
    const auto bytes = at ? reader.size(*at) : std::nullopt;
    if (!bytes)
        return;
    if (*bytes != 512 && *bytes != 1024 && *bytes != 2048 && *bytes != 4096)
        reader.refuse(*at, "512, 1024, 2048 or 4096");
    else
        into.block_size = static_cast<std::uint32_t>(*bytes);
}

std::string read_plain(Reader& reader, const Fields& fields, std::string_view key) {
    const auto at = fields.find(key);
    const std::string* const text = at ? reader.text(*at, "a string") : nullptr;
    return text == nullptr ? std::string() : *text;
}

std::vector<std::string> read_lines(Reader& reader, Fields& fields, std::string_view key) {
    std::vector<std::string> lines;
    const auto at = fields.require(key);
    const Array* const array = at ? reader.array(*at, "an array of dmsetup's lines") : nullptr;
    for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
        const std::string* const line = reader.text(at->element(i), "a line of dmsetup");
        if (line != nullptr)
            lines.push_back(*line);
    }
    return lines;
}

/// Reports the later of two that have the same.
class Taken {
public:
    explicit Taken(std::string_view what) : what_(what) {}
    void add(Reader& reader, const std::string& text, const Export& by) {
        if (text.empty() || text == "auto")
            return;
        const auto [first, is_new] = first_.emplace(text, by.name);
        if (!is_new)
            reader.fault(by.attach->place, "want another " + std::string(what_) +
                                               " than that of export " + in_quotes(first->second) +
                                               ", got " + in_quotes(text));
    }

private:
    std::string_view what_;
    std::map<std::string, std::string> first_;
};

} // namespace

Attach read_attach(Reader& reader, const Node& at) {
    Attach attach;
    attach.place = at.place();
    if (std::holds_alternative<std::string>(at.value.data)) {
        attach.device = read_device(reader, at);
        return attach;
    }
    const Object* const object = reader.object(at, R"("/dev/nbdN", "auto" or an object)");
    if (object == nullptr)
        return attach;
    Fields fields(reader, at, *object, attach_level);
    if (const auto device = fields.require("device"))
        attach.device = read_device(reader, *device);
    if (const auto connections = fields.find("connections"))
        attach.connections = reader.count(*connections, 1, most_connections).value_or(1);
    read_seconds(reader, fields, "timeout_s", longest_timeout_s, attach.timeout_s);
    read_seconds(reader, fields, "dead_conn_timeout_s", longest_dead_s, attach.dead_conn_timeout_s);
    read_block_size(reader, fields, attach);
    if (const auto identifier = fields.find("identifier")) {
        attach.identifier = read_plain(reader, fields, "identifier");
        if (!is_identifier(attach.identifier))
            reader.refuse(*identifier, "1 to 64 of letters, digits and \"._-\", no dot first");
    }
    return attach;
}

Interposition read_interposition(Reader& reader, const Node& at) {
    Interposition found;
    found.place = at.place();
    const Object* const object = reader.object(at, "an object");
    if (object == nullptr)
        return found;
    Fields fields(reader, at, *object, interposed_level);
    if (fields.require("volume"))
        found.volume = read_plain(reader, fields, "volume");
    found.uuid = read_plain(reader, fields, "uuid");
    found.before = read_lines(reader, fields, "before");
    found.after = read_lines(reader, fields, "after");
    found.since = read_plain(reader, fields, "since");
    constexpr std::array<std::string_view, 3> states = {"entering", "in", "leaving"};
    const auto state = fields.require("state");
    if (const auto word = state ? reader.word(*state, states) : std::nullopt)
        found.state = states.at(*word);
    if (const auto fail_open = fields.find("fail_open"))
        found.fail_open = reader.truth(*fail_open).value_or(false);
    return found;
}

void check_attachments(Reader& reader, const std::vector<Export>& exports) {
    Taken devices("device");
    Taken identifiers("identifier");
    for (const Export& each : exports) {
        if (!each.attach)
            continue;
        devices.add(reader, each.attach->device, each);
        identifiers.add(reader, each.attach->identifier, each);
    }
}

} // namespace interposed::config
