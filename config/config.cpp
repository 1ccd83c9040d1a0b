#include "config/config.hpp"

#include "config/exports.hpp"
#include "config/listeners.hpp"
#include "config/reader.hpp"
#include "config/services.hpp"
#include "config/text.hpp"
#include "config/tls.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

namespace interposed::config {
namespace {

constexpr const char* wanted_root = "an object with \"listen\" and \"exports\"";

/// One request of the largest size must always fit, with what it is put together from.
constexpr std::uint64_t least_memory = std::uint64_t{64} << 20;

void read_limits(Reader& reader, const Node& at, Limits& into) {
    const Object* const object = reader.object(at, "an object of limits");
    if (object == nullptr)
        return;
    const Fields fields(reader, at, *object, limits_level);
    const auto read_count = [&](std::string_view key, std::uint32_t most, std::uint32_t& value) {
        if (const auto field = fields.find(key))
            value = reader.count(*field, 1, most).value_or(value);
    };
    read_count("connections", 1000000, into.connections);
    read_count("connections_per_client", 1000000, into.connections_per_client);
    read_count("handshake_timeout_s", 3600, into.handshake_timeout_s);
    read_count("keepalive_s", 86400, into.keepalive_s);
    if (const auto field = fields.find("memory")) {
        into.memory = reader.size(*field).value_or(into.memory);
        if (into.memory < least_memory)
            reader.refuse(*field, "at least 64MiB");
    }
}

void read_root(Reader& reader, const Node& at, const std::string& folder, Configuration& into) {
    const Object* const object = reader.object(at, wanted_root);
    if (object == nullptr)
        return;
    Fields fields(reader, at, *object, top_level);
    if (const auto listen = fields.require("listen"))
        into.listen = read_listeners(reader, *listen, folder);
    if (const auto exports = fields.require("exports"))
        into.exports = read_exports(reader, *exports, folder);
    if (const auto limits = fields.find("limits"))
        read_limits(reader, *limits, into.limits);
    read_services(reader, fields, folder, into);
    if (const auto tls = fields.find("tls"))
        into.tls = read_tls(reader, *tls, folder);
    else
        check_tls(reader, into);
}

[[noreturn]] void refuse_file(const std::filesystem::path& file, const std::string& why) {
    std::vector<Fault> faults(1);
    faults.front().message = "cannot be read: " + why;
    throw ConfigError(file.string(), std::move(faults));
}

std::string contents_of(const std::filesystem::path& file) {
    std::error_code ignored;
    if (std::filesystem::is_directory(file, ignored))
        refuse_file(file, std::strerror(EISDIR));
    errno = 0;
    std::ifstream in(file, std::ios::binary);
    std::string text;
    if (const auto size = std::filesystem::file_size(file, ignored); !ignored)
        text.reserve(std::min<std::size_t>(size, largest_text));
    std::vector<char> piece(std::size_t{1} << 18U);
    while (in && text.size() <= largest_text) {
        in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
        text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
    }
    if (!in.is_open() || in.bad())
        refuse_file(file, errno != 0 ? std::strerror(errno) : "unknown reason");
    return text;
}

} // namespace

Configuration parse(std::string_view text, const std::string& file,
                    const std::filesystem::path& folder) {
    Document document = parse_json(text, file);
    Configuration configuration;
    configuration.file = file;
    Reader reader(document.faults);
    read_root(reader, Node{document.root}, std::filesystem::absolute(folder).string(),
              configuration);
    if (!document.faults.empty())
        throw ConfigError(file, std::move(document.faults));
    return configuration;
}

Configuration load(const std::filesystem::path& file) {
    return parse(contents_of(file), file.string(), std::filesystem::absolute(file).parent_path());
}

} // namespace interposed::config
