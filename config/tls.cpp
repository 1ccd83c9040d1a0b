#include "config/tls.hpp"

#include "config/device_name.hpp"
#include "config/quotes.hpp"

#include <array>
#include <stdexcept>

namespace interposed::config {
namespace {

constexpr std::array<std::string_view, 3> mode_words = {"off", "offer", "require"};
constexpr std::array<std::string_view, 2> export_words = {"offer", "require"};
constexpr std::array<std::string_view, 2> client_words = {"require", "request"};
constexpr std::array<std::string_view, 2> version_words = {"1.2", "1.3"};

std::string read_path(Reader& reader, const Fields& fields, std::string_view key,
                      const std::string& folder) {
    const auto at = fields.find(key);
    const std::string* const text = at ? reader.text(*at, "the path of a file") : nullptr;
    if (text == nullptr)
        return {};
    if (text->empty() || text->find('\0') != std::string::npos) {
        reader.refuse(*at, "the path of a file");
        return {};
    }
    return path_in(folder, *text);
}

/// Keys that mean nothing alone.
void check_companions(Reader& reader, const Node& at, const Fields& fields) {
    const bool certificate = fields.find("certificate").has_value();
    if (certificate != fields.find("key").has_value())
        reader.fault(at, std::string("want \"certificate\" and \"key\" together, got only ") +
                             (certificate ? "\"certificate\"" : "\"key\""));
    if (!certificate && !fields.find("psk"))
        reader.fault(at, "want \"certificate\" and \"key\", or \"psk\", or all three, got none");
    if (const auto ca = fields.find("ca"); ca && !certificate)
        reader.fault(*ca, "\"ca\" verifies clients' certificates: it goes with \"certificate\"");
    for (const std::string_view key : {"crl", "client_certificates"})
        if (const auto at_key = fields.find(key); at_key && !fields.find("ca"))
            reader.fault(*at_key, in_quotes(key) + " goes with \"ca\"");
}

} // namespace

std::optional<TlsMode> read_tls_mode(Reader& reader, const Node& at) {
    const auto word = reader.word(at, mode_words);
    return word ? std::optional(static_cast<TlsMode>(*word)) : std::nullopt;
}

bool read_requires_tls(Reader& reader, const Node& at) {
    return reader.word(at, export_words).value_or(0) == 1;
}

std::optional<Tls> read_tls(Reader& reader, const Node& at, const std::string& folder) {
    const Object* const object = reader.object(at, "an object with a certificate or keys");
    if (object == nullptr)
        return std::nullopt;
    const Fields fields(reader, at, *object, tls_level);
    Tls tls;
    tls.place = at.place();
    if (const auto mode = fields.find("mode"))
        tls.mode = read_tls_mode(reader, *mode).value_or(tls.mode);
    tls.certificate = read_path(reader, fields, "certificate", folder);
    tls.key = read_path(reader, fields, "key", folder);
    tls.ca = read_path(reader, fields, "ca", folder);
    tls.crl = read_path(reader, fields, "crl", folder);
    tls.psk = read_path(reader, fields, "psk", folder);
    tls.client_certificate_required =
        fields.word("client_certificates", client_words).value_or(0) == 0;
    if (fields.word("min_version", version_words) == 1)
        tls.min_version = TlsVersion::tls_1_3;
    check_companions(reader, at, fields);
    return tls;
}

void check_tls(Reader& reader, const Configuration& configuration) {
    for (const Listener& each : configuration.listen)
        if (each.tls && *each.tls != TlsMode::off)
            reader.fault(each.place, "the listener is to speak TLS: want \"tls\" at the top level, "
                                     "with a certificate or keys, got none");
    for (const Export& each : configuration.exports)
        if (each.requires_tls)
            reader.fault(each.place, "the export requires TLS: want \"tls\" at the top level, with "
                                     "a certificate or keys, got none");
}

} // namespace interposed::config
