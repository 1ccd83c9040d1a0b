#include "config/positioned_json.hpp"

#include "config/quotes.hpp"
#include "config/syntax_fault.hpp"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

namespace interposed::config {
namespace {

constexpr std::size_t usual_members = 5; // a segment has no more
constexpr std::size_t deepest = 32;      // a right file needs 5; the tree is destroyed recursively

/// Hands the text to the library and tells how far it has read.
struct CountingIterator {
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = const char&;

    const char* at = nullptr;
    std::size_t* count = nullptr;

    reference operator*() const { return *at; }
    CountingIterator& operator++() {
        ++at;
        ++*count;
        return *this;
    }
    friend bool operator==(const CountingIterator& a, const CountingIterator& b) {
        return a.at == b.at;
    }
    friend bool operator!=(const CountingIterator& a, const CountingIterator& b) {
        return a.at != b.at;
    }
};

/// The length of the number the text begins with. Nothing follows a leading zero but a point or
/// an exponent: "01" is two numbers, which the library then refuses.
std::size_t number_length(std::string_view text) {
    const std::size_t first = text.starts_with('-') ? 1 : 0;
    const bool two = text.size() > first + 1 && '0' <= text[first + 1] && text[first + 1] <= '9';
    if (text[first] == '0' && two)
        return first + 1;
    return std::min(text.find_first_not_of("+-.0123456789Ee"), text.size());
}

/// Builds the tree while the library reads. Between two tokens only blanks, comments, commas and
/// colons can stand, so a token begins at the first character behind them.
class TreeBuilder : public nlohmann::json_sax<nlohmann::json> {
public:
    TreeBuilder(std::string_view text, const std::size_t& count)
        : text_(text), count_(count), cursor_(text) {}

    bool null() override { return scalar(nullptr); }
    bool boolean(bool value) override { return scalar(value); }
    bool number_integer(std::int64_t) override { return number(); }
    bool number_unsigned(std::uint64_t) override { return number(); }
    bool number_float(double, const std::string&) override { return number(); }
    bool string(std::string& value) override { return scalar(std::move(value)); }
    bool binary(nlohmann::json::binary_t&) override { return false; } // JSON text has none

    bool start_object(std::size_t) override {
        Object object;
        object.reserve(usual_members);
        return open(std::move(object));
    }
    bool start_array(std::size_t) override { return open(Array()); }
    bool end_array() override { return close(); }
    bool end_object() override {
        find_duplicates(std::get<Object>(open_.back()->data));
        return close();
    }

    bool key(std::string& key) override {
        const Position at = to_token();
        std::get<Object>(open_.back()->data).push_back({std::move(key), at, {}});
        cursor_.jump_to(count_);
        behind_key_ = true;
        return true;
    }

    bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override {
        const SyntaxFault why = explain_syntax(cursor_, behind());
        fatal_ = {{why.at.line, why.at.column, path()}, why.message};
        return false;
    }

    [[nodiscard]] const Fault& fatal() const { return fatal_; }
    Document take() { return {std::move(root_), std::move(faults_)}; }

private:
    template <class Data>
    bool scalar(Data&& data) {
        add(to_token(), std::forward<Data>(data));
        cursor_.jump_to(count_);
        return true;
    }

    /// The library has read one character on to see where the number ends.
    bool number() {
        const Position at = to_token();
        const std::size_t start = cursor_.offset();
        cursor_.jump_to(start + number_length(cursor_.rest()));
        add(at, Number{std::string(text_.substr(start, cursor_.offset() - start))});
        return true;
    }

    template <class Container>
    bool open(Container&& container) {
        const Position at = to_token();
        if (open_.size() == deepest) {
            fatal_ = {{at.line, at.column, path()},
                      "want at most " + std::to_string(deepest) + " levels of nesting"};
            return false;
        }
        Value& value = add(at, std::forward<Container>(container));
        open_.push_back(&value); // stays put: its siblings are only added when it is closed
        cursor_.jump_to(count_);
        return true;
    }

    bool close() {
        cursor_.advance_to(count_);
        open_.pop_back();
        return true;
    }

    Position to_token() {
        cursor_.skip_blanks();
        while (cursor_.here() == ',' || cursor_.here() == ':') {
            cursor_.step();
            cursor_.skip_blanks();
        }
        return cursor_.position();
    }

    template <class Data>
    Value& add(Position at, Data&& data) {
        behind_key_ = false;
        has_root_ = true;
        Value& place = next_place();
        place.at = at;
        place.data = std::forward<Data>(data);
        return place;
    }

    Value& next_place() {
        if (open_.empty())
            return root_;
        if (auto* const array = std::get_if<Array>(&open_.back()->data))
            return array->emplace_back();
        return std::get<Object>(open_.back()->data).back().value;
    }

    [[nodiscard]] Behind behind() const {
        if (behind_key_)
            return Behind::key;
        if (open_.empty())
            return has_root_ ? Behind::all : Behind::nothing;
        if (const auto* const array = std::get_if<Array>(&open_.back()->data))
            return array->empty() ? Behind::opened_array : Behind::array_element;
        const auto& object = std::get<Object>(open_.back()->data);
        return object.empty() ? Behind::opened_object : Behind::object_member;
    }

    /// The way to the innermost open container, or to the value a key has announced.
    [[nodiscard]] std::string path() const {
        std::string path;
        for (std::size_t i = 0; i < open_.size(); ++i) {
            const bool innermost = i + 1 == open_.size();
            if (const auto* const array = std::get_if<Array>(&open_[i]->data))
                path += innermost ? "" : path_step(array->size() - 1);
            else if (!innermost || behind_key_)
                path += path_step(std::get<Object>(open_[i]->data).back().key);
        }
        return path.starts_with('.') ? path.substr(1) : path;
    }

    void find_duplicates(const Object& object) {
        by_key_.clear();
        for (const Member& member : object)
            by_key_.push_back(&member);
        std::stable_sort(by_key_.begin(), by_key_.end(),
                         [](const Member* a, const Member* b) { return a->key < b->key; });
        for (std::size_t first = 0, i = 1; i < by_key_.size(); ++i) {
            if (by_key_[i]->key == by_key_[first]->key)
                duplicate(*by_key_[first], *by_key_[i]);
            else
                first = i;
        }
    }

    void duplicate(const Member& first, const Member& again) {
        const std::string step = path_step(again.key);
        const std::string parent = path();
        faults_.push_back(
            {{again.at.line, again.at.column,
              parent.empty() && step.starts_with('.') ? step.substr(1) : parent + step},
             "want each key once, found it first on line " + std::to_string(first.at.line) +
                 ", column " + std::to_string(first.at.column)});
    }

    std::string_view text_;
    const std::size_t& count_;
    Cursor cursor_; ///< behind the last token
    Value root_;
    bool has_root_ = false;
    bool behind_key_ = false;
    std::vector<Value*> open_;
    std::vector<const Member*> by_key_; ///< kept between objects to save allocations
    std::vector<Fault> faults_;
    Fault fatal_;
};

bool is_plain(char c) {
    return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || ('0' <= c && c <= '9') || c == '_' ||
           c == '-';
}

} // namespace

Document parse_json(std::string_view text, const std::string& file) {
    if (const auto bad = find_bad_text(text))
        throw ConfigError(file, {Fault{{bad->at.line, bad->at.column, {}}, bad->message}});
    std::size_t count = 0;
    TreeBuilder builder(text, count);
    const CountingIterator begin{text.data(), &count};
    const CountingIterator end{text.data() + text.size(), &count};
    constexpr bool strict = true;
    constexpr bool ignore_comments = true;
    if (!nlohmann::json::sax_parse(begin, end, &builder, nlohmann::json::input_format_t::json,
                                   strict, ignore_comments))
        throw ConfigError(file, {builder.fatal()});
    return builder.take();
}

std::string found(const Value& value) {
    if (const auto* const truth = std::get_if<bool>(&value.data))
        return *truth ? "true" : "false";
    if (const auto* const number = std::get_if<Number>(&value.data))
        return number->literal.size() <= 40 ? number->literal : "a very long number";
    if (const auto* const text = std::get_if<std::string>(&value.data))
        return in_quotes(*text);
    if (std::holds_alternative<Array>(value.data))
        return "an array";
    return std::holds_alternative<Object>(value.data) ? "an object" : "null";
}

std::string path_step(std::string_view key) {
    constexpr std::size_t longest_word = 64;
    const bool plain =
        !key.empty() && key.size() <= longest_word && std::all_of(key.begin(), key.end(), is_plain);
    std::string step = plain ? "." : "[";
    step += plain ? std::string(key) : in_quotes(key) + "]";
    return step;
}

std::string path_step(std::size_t index) {
    std::string step = "[";
    step += std::to_string(index) + "]";
    return step;
}

} // namespace interposed::config
