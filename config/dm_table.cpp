#include "config/dm_table.hpp"

#include "config/device_name.hpp"
#include "config/nearest.hpp"
#include "config/quotes.hpp"
#include "config/sizes.hpp"

#include <algorithm>
#include <utility>

namespace interposed::config {
namespace {

constexpr const char* grammar = "\"start length linear device offset\"";
constexpr std::size_t linear_words = 5;

/// Splits at blanks. A backslash takes the next character as it is, as the kernel's splitter.
std::vector<std::string> words_of(std::string_view line) {
    std::vector<std::string> words;
    bool inside = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const bool blank = line[i] == ' ' || line[i] == '\t' || line[i] == '\r';
        if (!blank && !inside)
            words.emplace_back();
        inside = !blank;
        if (blank)
            continue;
        if (line[i] == '\\' && i + 1 < line.size())
            ++i;
        words.back() += line[i];
    }
    return words;
}

/// People look for the claim here, since a kernel patch once had it as a third argument.
bool is_claim_word(const std::string& word) {
    constexpr std::array<std::string_view, 9> claim_words = {
        "excl",          "noexcl",      "exclusive", "nonexclusive", "non_exclusive",
        "non-exclusive", "noexclusive", "shared",    "share"};
    return std::find(claim_words.begin(), claim_words.end(), word) != claim_words.end();
}

std::string wrong_count(const std::vector<std::string>& words) {
    std::string text = "want 2 arguments for linear, a device and an offset, got " +
                       std::to_string(words.size() - 3);
    const auto claim = std::find_if(words.begin() + 3, words.end(), is_claim_word);
    if (claim != words.end())
        text += ": " + in_quotes(*claim) +
                " is not a table argument; the claim is said by the export's \"claim\"";
    return text;
}

std::string wrong_line(std::string_view line, const std::vector<std::string>& words) {
    std::string text = std::string("want ") + grammar + ", got " + in_quotes(line);
    if (words.front().ends_with(':'))
        text += ": leave out the name before the colon";
    return text;
}

/// Reads the words of one line; `place` is the line's.
class LineReader {
public:
    LineReader(Reader& reader, const Place& place, const std::string& folder)
        : reader_(reader), place_(place), folder_(folder) {}

    std::optional<Segment> read(std::string_view line) {
        const std::vector<std::string> words = words_of(line);
        if (words.empty() || words.front().starts_with('#'))
            return std::nullopt;
        Segment segment;
        segment.place = place_;
        if (words.size() < 3 || words.front().ends_with(':'))
            fault(wrong_line(line, words));
        else
            read_words(segment, words);
        return segment;
    }

private:
    void fault(std::string message) { reader_.fault(place_, std::move(message)); }

    void read_words(Segment& segment, const std::vector<std::string>& words) {
        segment.start = sectors("start", words[0]);
        segment.length = sectors("length", words[1]);
        if (words[2] != segment_kinds[0]) {
            fault("unknown target type " + in_quotes(words[2]) + hint(words[2], segment_kinds));
        } else if (words.size() != linear_words) {
            fault(wrong_count(words));
        } else {
            segment.device = device(words[3]);
            segment.offset = sectors("offset", words[4]).value_or(0);
        }
    }

    std::optional<std::uint64_t> sectors(const char* what, const std::string& word) {
        try {
            return parse_sectors(word);
        } catch (const std::invalid_argument& why) {
            fault(std::string(what) + ": " + why.what());
            return std::nullopt;
        }
    }

    std::string device(const std::string& word) {
        try {
            return device_name(word, folder_);
        } catch (const std::invalid_argument& why) {
            fault(std::string("device: ") + why.what());
            return {};
        }
    }

    Reader& reader_;
    const Place& place_;
    const std::string& folder_;
};

void add_line(Reader& reader, Table& table, const Place& place, std::string_view line,
              const std::string& folder) {
    const std::size_t faults_before = reader.faults().size();
    auto segment = LineReader(reader, place, folder).read(line);
    if (!segment)
        return;
    table.segments.push_back(std::move(*segment));
    table.faulty.push_back(reader.faults().size() > faults_before);
}

/// `place_of` gives the place of a line by its number and text.
template <class PlaceOf>
void add_lines(Reader& reader, Table& table, std::string_view text, const std::string& folder,
               PlaceOf place_of) {
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::string_view line = text.substr(0, text.find('\n'));
        add_line(reader, table, place_of(number, line), line, folder);
        text.remove_prefix(std::min(line.size() + 1, text.size()));
    }
}

} // namespace

Table read_dm_table(Reader& reader, const Node& at, const std::string& folder) {
    Table table;
    if (const auto* const text = std::get_if<std::string>(&at.value.data)) {
        add_lines(reader, table, *text, folder, [&at](std::size_t number, std::string_view) {
            Place place = at.place();
            place.path += " line " + std::to_string(number);
            return place;
        });
        return table;
    }
    const Array* const lines = reader.array(at, std::string("an array of lines ") + grammar);
    for (std::size_t i = 0; lines != nullptr && i < lines->size(); ++i) {
        const Node element = at.element(i);
        const std::string* const line = reader.text(element, std::string("a line ") + grammar);
        if (line != nullptr && line->find('\n') != std::string::npos)
            reader.fault(element, "want one line in each string of the array, got several");
        else if (line != nullptr)
            add_line(reader, table, element.place(), *line, folder);
    }
    return table;
}

Table read_dm_text(Reader& reader, std::string_view text, const std::string& folder) {
    Table table;
    add_lines(reader, table, text, folder, [](std::size_t number, std::string_view line) {
        const std::size_t blanks = std::min(line.find_first_not_of(" \t\r"), line.size());
        return Place{number, blanks + 1, {}};
    });
    return table;
}

} // namespace interposed::config
