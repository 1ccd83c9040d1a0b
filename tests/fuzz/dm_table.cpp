#include "config/dm_table.hpp"

#include "tests/fuzz/fuzz.hpp"

// The input is a table in dmsetup's words. Read as one string and as an array of lines it must
// mean the same, and so must each sound segment, written down again and read.

namespace interposed::fuzz {

namespace {

using namespace config;

const std::string folder = "/folder";

struct Read {
    explicit Read(Value value) {
        Reader reader(faults);
        table = read_dm_table(reader, Node{value}, folder);
        require(table.segments.size() == table.faulty.size(), "each segment is faulty or not");
        const bool faulty =
            std::find(table.faulty.begin(), table.faulty.end(), true) != table.faulty.end();
        require(faulty == !faults.empty(), "faults are those of segments");
    }

    std::vector<Fault> faults;
    Table table;
};

Array lines_of(std::string_view text) {
    Array lines;
    while (!text.empty()) {
        const std::size_t length = std::min(text.find('\n'), text.size());
        lines.push_back({{}, std::string(text.substr(0, length))});
        text.remove_prefix(std::min(length + 1, text.size()));
    }
    return lines;
}

bool same(const Segment& a, const Segment& b) {
    return a.device == b.device && a.start == b.start && a.offset == b.offset &&
           a.length == b.length;
}

bool same_message(const Fault& a, const Fault& b) {
    return a.message == b.message;
}

std::string line_of(const Segment& segment) {
    std::string line = std::to_string(*segment.start / 512) + "\t" +
                       std::to_string(*segment.length / 512) + " linear ";
    for (const char c : segment.device)
        line.append({'\\', c});
    return line + " " + std::to_string(segment.offset / 512);
}

void check_sound(const Segment& segment) {
    require(segment.start && segment.length && !segment.device.empty(), "a segment is complete");
    const Read again({{}, line_of(segment)});
    require(again.faults.empty() && again.table.segments.size() == 1 &&
                same(again.table.segments.front(), segment),
            "a segment written down and read is the same");
}

} // namespace

} // namespace interposed::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace interposed::fuzz;
    const Bytes input = Input(data, size).take_rest();
    const std::string text(text_of(input));
    const Read whole({{}, text});
    const Read lines({{}, lines_of(text)});
    require(whole.table.faulty == lines.table.faulty &&
                std::equal(whole.faults.begin(), whole.faults.end(), lines.faults.begin(),
                           lines.faults.end(), same_message) &&
                std::equal(whole.table.segments.begin(), whole.table.segments.end(),
                           lines.table.segments.begin(), lines.table.segments.end(), same),
            "one string of lines is the same as an array of them");
    for (std::size_t i = 0; i < whole.table.segments.size(); ++i) {
        if (!whole.table.faulty[i])
            check_sound(whole.table.segments[i]);
    }
    return 0;
}
