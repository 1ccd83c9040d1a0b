#include "interposectl/errors.hpp"
#include "interposectl/map.hpp"
#include "interposectl/render.hpp"
#include "interposectl/text.hpp"

namespace interposed::ctl {

/// Only what a configuration may say: a later server may tell more of a segment.
std::string table_json_text(const Json& result) {
    std::string text = "{\"table\": [\n";
    const TableMap map = read_table(result);
    for (std::size_t i = 0; i < map.segments.size(); ++i) {
        const MapSegment& each = map.segments[i];
        const auto quoted = [](const std::string& value) { return json_text(Json(value), false); };
        text += "  {\"kind\": " + quoted(each.kind) + ", \"device\": " + quoted(each.device) +
                ", \"offset\": " + std::to_string(each.offset) +
                ", \"length\": " + std::to_string(each.length) + "}" +
                (i + 1 < map.segments.size() ? ",\n" : "\n");
    }
    return text + "]}\n";
}

std::string table_dm_text(const Json& result) {
    const Fields table(result, "result");
    if (const auto why = table.text_or_null("dm_impossible"))
        throw Refused({{"code", code_refused},
                       {"message", "export " + export_name(table.text("name")) +
                                       ": its table cannot be said in lines of dmsetup: " + *why},
                       {"data", {{"kind", "refused"}}}});
    std::string text;
    for (const std::string& line : table.texts("dm"))
        text += harmless(line) + "\n";
    return text;
}

} // namespace interposed::ctl
