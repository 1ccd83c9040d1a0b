#include "config/exports.hpp"

#include "config/access_rules.hpp"
#include "config/attach.hpp"
#include "config/qos.hpp"
#include "config/quotes.hpp"
#include "config/segments.hpp"
#include "config/tls.hpp"

#include <array>
#include <limits>
#include <unordered_map>
#include <utility>

namespace interposed::config {
namespace {

constexpr std::size_t longest_string = 4096; // of the NBD protocol, in bytes

/// A name or description: what the protocol can carry.
std::string read_string(Reader& reader, const Node& at) {
    const std::string* const text = reader.text(at, "a string");
    if (text == nullptr)
        return {};
    if (text->find('\0') != std::string::npos)
        reader.fault(at, "want a string without NUL, got " + in_quotes(*text));
    if (text->size() > longest_string)
        reader.fault(at, "want at most 4096 bytes, got " + std::to_string(text->size()));
    return *text;
}

void read_truth(Reader& reader, const Fields& fields, std::string_view key, bool& into) {
    if (const auto at = fields.find(key))
        into = reader.truth(*at).value_or(into);
}

void read_claim(const Fields& fields, Export& into) {
    constexpr std::array<std::string_view, 3> words = {"exclusive", "shared", "adopted"};
    constexpr std::array<Claim, 3> claims = {Claim::exclusive, Claim::shared, Claim::adopted};
    if (const auto word = fields.word("claim", words))
        into.claim = claims.at(*word);
}

void read_cache(const Fields& fields, Export& into) {
    constexpr std::array<std::string_view, 2> words = {"buffered", "direct"};
    if (const auto word = fields.word("cache", words))
        into.cache = *word == 0 ? Cache::buffered : Cache::direct;
}

/// Finds names that are taken. Those of exports that are no objects do not count.
class Names {
public:
    explicit Names(Reader& reader) : reader_(reader) {}

    void add(const Node& export_node, const Object& object) {
        for (const Member& member : object) {
            const auto* const name = std::get_if<std::string>(&member.value.data);
            if (member.key != "name" || name == nullptr)
                continue;
            const auto [first, is_new] = first_with_.emplace(*name, export_node.index);
            if (!is_new)
                reader_.fault(Node{member.value, &export_node, member.key},
                              "want another name than that of exports[" +
                                  std::to_string(first->second) + "], got " + in_quotes(*name));
            return;
        }
    }

private:
    Reader& reader_;
    std::unordered_map<std::string_view, std::size_t> first_with_;
};

} // namespace

Export read_export(Reader& reader, const Node& at, const std::string& folder) {
    Export result;
    result.place = at.place();
    const Object* const object = reader.object(at, "an export, an object");
    if (object == nullptr)
        return result;
    Fields fields(reader, at, *object, export_level);
    if (const auto name = fields.require("name"))
        result.name = read_string(reader, *name);
    if (const auto description = fields.find("description"))
        result.description = read_string(reader, *description);
    read_claim(fields, result);
    read_cache(fields, result);
    read_truth(reader, fields, "read_only", result.read_only);
    read_truth(reader, fields, "optional", result.optional);
    if (const auto tls = fields.find("tls"))
        result.requires_tls = read_requires_tls(reader, *tls);
    read_truth(reader, fields, "kernel_only", result.kernel_only);
    result.allow = read_rules(reader, fields, RulesOf::an_export);
    if (const auto most = fields.find("max_connections"))
        result.max_connections = reader.count(*most, 1, std::numeric_limits<std::uint32_t>::max());
    if (const auto qos = fields.find("qos"))
        result.qos = read_qos(reader, *qos);
    if (const auto attach = fields.find("attach"))
        result.attach = read_attach(reader, *attach);
    if (const auto interposed = fields.find("interposed"))
        result.interposed = read_interposition(reader, *interposed);
    result.table = read_table(reader, fields, at, folder);
    return result;
}

std::vector<Export> read_exports(Reader& reader, const Node& at, const std::string& folder) {
    std::vector<Export> exports;
    const Array* const array = reader.array(at, "an array of exports");
    Names names(reader);
    for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
        const Node element = at.element(i);
        if (const auto* const object = std::get_if<Object>(&element.value.data))
            names.add(element, *object);
        exports.push_back(read_export(reader, element, folder));
    }
    check_attachments(reader, exports);
    return exports;
}

} // namespace interposed::config
