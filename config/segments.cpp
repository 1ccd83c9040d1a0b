#include "config/segments.hpp"

#include "config/device_name.hpp"
#include "config/dm_table.hpp"
#include "config/layout.hpp"
#include "config/nearest.hpp"
#include "config/quotes.hpp"

#include <algorithm>
#include <utility>

namespace interposed::config {
namespace {

/// Whether the segment is of a known kind; if not, its other keys mean nothing to us.
bool check_kind(Reader& reader, const Node& at, const Object& object) {
    const auto member = std::find_if(object.begin(), object.end(),
                                     [](const Member& one) { return one.key == "kind"; });
    if (member == object.end()) {
        reader.fault(at, "\"kind\" is missing in a segment; known: linear");
        return true; // there is only one kind so far
    }
    const Node kind{member->value, &at, member->key};
    const std::string* const text = reader.text(kind, "the kind of the segment, \"linear\"");
    if (text == nullptr || *text == segment_kinds[0])
        return true;
    reader.fault(kind, "unknown kind of segment " + in_quotes(*text) + hint(*text, segment_kinds));
    return false;
}

std::string read_device(Reader& reader, Fields& fields, const std::string& folder) {
    const std::optional<Node> at = fields.require("device");
    const std::string* const text = at ? reader.text(*at, "a path or \"major:minor\"") : nullptr;
    if (text == nullptr)
        return {};
    return reader.attempt(*at, [&] { return device_name(*text, folder); }).value_or("");
}

std::optional<std::uint64_t> read_size(Reader& reader, const Fields& fields, std::string_view key) {
    const std::optional<Node> at = fields.find(key);
    return at ? reader.size(*at) : std::nullopt;
}

Segment read_segment(Reader& reader, const Node& at, const std::string& folder) {
    Segment segment;
    segment.place = at.place();
    const Object* const object = reader.object(at, "a segment, an object with \"kind\"");
    if (object == nullptr || !check_kind(reader, at, *object))
        return segment;
    Fields fields(reader, at, *object, segment_level);
    segment.device = read_device(reader, fields, folder);
    segment.start = read_size(reader, fields, "start");
    segment.offset = read_size(reader, fields, "offset").value_or(0);
    segment.length = read_size(reader, fields, "length");
    return segment;
}

Table read_json_table(Reader& reader, const Node& at, const std::string& folder) {
    Table table;
    const Array* const array = reader.array(at, "an array of segments");
    table.segments.reserve(array != nullptr ? array->size() : 0);
    for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
        const std::size_t faults_before = reader.faults().size();
        table.segments.push_back(read_segment(reader, at.element(i), folder));
        table.faulty.push_back(reader.faults().size() > faults_before);
    }
    return table;
}

void fill_in(Reader& reader, Table& table) {
    std::vector<Row> rows;
    rows.reserve(table.segments.size());
    for (std::size_t i = 0; i < table.segments.size(); ++i) {
        const Segment& segment = table.segments[i];
        rows.push_back({segment.start, segment.length, &segment.place, table.faulty[i]});
    }
    lay_out(rows, reader.faults());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        table.segments[i].start = rows[i].start;
        table.segments[i].length = rows[i].length;
    }
}

/// `place` is that of the whole table, `sound` whether nothing in it has been reported yet.
std::vector<Segment> finished(Reader& reader, Table table, const Place& place, bool sound) {
    if (sound && table.segments.empty())
        reader.fault(place, "want at least one segment, got none");
    fill_in(reader, table);
    return std::move(table.segments);
}

template <class Read>
std::vector<Segment> read_with(Read read, Reader& reader, const Node& at,
                               const std::string& folder) {
    const std::size_t faults_before = reader.faults().size();
    Table table = read(reader, at, folder);
    const bool sound = reader.faults().size() == faults_before;
    return finished(reader, std::move(table), at.place(), sound);
}

} // namespace

std::vector<Segment> read_table(Reader& reader, const Fields& fields, const Node& at,
                                const std::string& folder) {
    const std::optional<Node> json_table = fields.find("table");
    const std::optional<Node> dm_table = fields.find("dm_table");
    if (json_table.has_value() == dm_table.has_value()) {
        reader.fault(at, "want exactly one of \"table\" and \"dm_table\" " +
                             std::string(fields.level().name) + ", got " +
                             (json_table ? "both" : "neither"));
        return {};
    }
    return json_table ? read_with(read_json_table, reader, *json_table, folder)
                      : read_with(read_dm_table, reader, *dm_table, folder);
}

std::vector<Segment> read_bare_table(Reader& reader, const Node& at, const std::string& folder) {
    const Array& array = std::get<Array>(at.value.data);
    const bool lines = !array.empty() && std::holds_alternative<std::string>(array.front().data);
    return read_with(lines ? read_dm_table : read_json_table, reader, at, folder);
}

std::vector<Segment> read_plain_table(Reader& reader, std::string_view text,
                                      const std::string& folder) {
    const std::size_t faults_before = reader.faults().size();
    Table table = read_dm_text(reader, text, folder);
    const bool sound = reader.faults().size() == faults_before;
    return finished(reader, std::move(table), Place{1, 1, {}}, sound);
}

} // namespace interposed::config
