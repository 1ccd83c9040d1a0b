#include "config/attach.hpp"
#include "config/exports.hpp"
#include "config/reader.hpp"
#include "config/segments.hpp"
#include "config/text.hpp"

#include <algorithm>
#include <utility>

/// Parts of a configuration that come by themselves, as an operator hands them to a running server.
namespace interposed::config {
namespace {

void throw_faults(const std::string& file, std::vector<Fault>& faults) {
    if (!faults.empty())
        throw ConfigError(file, std::move(faults));
}

/// dmsetup's lines begin with a number, or with # where they mean nothing.
bool is_json(std::string_view text) {
    const std::size_t first = std::min(text.find_first_not_of(" \t\r\n"), text.size());
    const std::string_view rest = text.substr(first);
    return rest.starts_with('{') || rest.starts_with('[') || rest.starts_with("//") ||
           rest.starts_with("/*");
}

std::vector<Segment> read_any_table(Reader& reader, const Node& at, const std::string& folder) {
    if (const auto* const object = std::get_if<Object>(&at.value.data))
        return read_table(reader, Fields(reader, at, *object, table_level), at, folder);
    if (std::holds_alternative<Array>(at.value.data))
        return read_bare_table(reader, at, folder);
    reader.refuse(at, "an object with \"table\" or \"dm_table\", or an array");
    return {};
}

std::vector<Segment> parse_plain_table(std::string_view text, const std::string& file,
                                       const std::string& folder) {
    std::vector<Fault> faults;
    Reader reader(faults);
    std::vector<Segment> table;
    if (const auto bad = find_bad_text(text))
        reader.fault(Place{bad->at.line, bad->at.column, {}}, bad->message);
    else
        table = read_plain_table(reader, text, folder);
    throw_faults(file, faults);
    return table;
}

} // namespace

Export parse_export(std::string_view text, const std::string& file,
                    const std::filesystem::path& folder) {
    Document document = parse_json(text, file);
    Reader reader(document.faults);
    Export one =
        read_export(reader, Node{document.root}, std::filesystem::absolute(folder).string());
    throw_faults(file, document.faults);
    return one;
}

Attach parse_attach(std::string_view text, const std::string& file) {
    Document document = parse_json(text, file);
    Reader reader(document.faults);
    Attach attach = read_attach(reader, Node{document.root});
    throw_faults(file, document.faults);
    return attach;
}

Interposition parse_interposition(std::string_view text, const std::string& file) {
    Document document = parse_json(text, file);
    Reader reader(document.faults);
    Interposition interposed = read_interposition(reader, Node{document.root});
    throw_faults(file, document.faults);
    return interposed;
}

std::vector<Segment> parse_table(std::string_view text, const std::string& file,
                                 const std::filesystem::path& folder) {
    const std::string absolute = std::filesystem::absolute(folder).string();
    if (!is_json(text))
        return parse_plain_table(text, file, absolute);
    Document document = parse_json(text, file);
    Reader reader(document.faults);
    std::vector<Segment> table = read_any_table(reader, Node{document.root}, absolute);
    throw_faults(file, document.faults);
    return table;
}

} // namespace interposed::config
