#include "control/exposition.hpp"

#include "protocol/utf8.hpp"

#include <cassert>
#include <charconv>

namespace interposed::control {

namespace {

std::string_view suffix_of(Exposition::Type type) {
    switch (type) {
    case Exposition::Type::counter:
        return "_total";
    case Exposition::Type::info:
        return "_info";
    default:
        return "";
    }
}

void append_escaped(std::string& out, std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = protocol::utf8_sequence(text);
        if (length == 0 || text[0] == '\0') {
            out += "\xEF\xBF\xBD"; // U+FFFD, the replacement character
        } else if (text[0] == '\n') {
            out += "\\n";
        } else {
            if (text[0] == '\\' || text[0] == '"')
                out += '\\';
            out += text.substr(0, length);
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
}

} // namespace

std::string bound_text(std::chrono::nanoseconds bound) {
    char text[32];
    const double in_seconds = std::chrono::duration<double>(bound).count();
    const auto [end, error] =
        std::to_chars(text, text + sizeof text, in_seconds, std::chars_format::general);
    assert(error == std::errc());
    std::string out(text, end);
    if (out.find_first_of(".e") == std::string::npos)
        out += ".0";
    return out;
}

std::string Exposition::label(std::string_view name, std::string_view value) {
    std::string out(name);
    out += "=\"";
    append_escaped(out, value);
    out += '"';
    return out;
}

void Exposition::describe(std::string_view type, std::string_view name, std::string_view unit,
                          std::string_view help) {
    assert(unit.empty() || name.find(unit) != std::string_view::npos);
    const auto line = [&](std::string_view what, std::string_view about) {
        text_.append("# ").append(what).append(" ").append(name).append(" ");
        text_.append(about).append("\n");
    };
    line("TYPE", type);
    if (dialect_ == Dialect::openmetrics && !unit.empty())
        line("UNIT", unit);
    line("HELP", help);
}

void Exposition::family(Type type, std::string_view name, std::string_view unit,
                        std::string_view help) {
    name_ = name;
    name_ += suffix_of(type);
    const bool openmetrics = dialect_ == Dialect::openmetrics;
    const std::string_view described = openmetrics ? name : std::string_view(name_);
    if (type == Type::counter)
        describe("counter", described, unit, help);
    else if (type == Type::info && openmetrics)
        describe("info", described, unit, help);
    else
        describe("gauge", described, unit, help);
}

void Exposition::histogram_family(std::string_view name, std::string_view help) {
    name_ = name;
    describe("histogram", name, "seconds", help);
}

void Exposition::number(std::uint64_t value) {
    char text[20];
    text_.append(text, std::to_chars(text, text + sizeof text, value).ptr);
    text_ += '\n';
}

/// Exact: what is summed up must not seem to stand still, or go back, because of rounding.
void Exposition::seconds(std::chrono::nanoseconds value) {
    const auto count = value.count() < 0 ? 0 : static_cast<std::uint64_t>(value.count());
    constexpr std::uint64_t nano = 1'000'000'000;
    char text[32];
    char* const whole = std::to_chars(text, text + sizeof text, count / nano).ptr;
    // The leading zeroes of the fraction: written with a one before them, which becomes the point.
    char* const end = std::to_chars(whole, text + sizeof text, nano + count % nano).ptr;
    *whole = '.';
    text_.append(text, end);
    text_ += '\n';
}

void Exposition::sample(std::initializer_list<std::string_view> labels, std::uint64_t value) {
    text_ += name_;
    char separator = '{';
    for (const std::string_view label : labels) {
        text_ += separator;
        text_ += label;
        separator = ',';
    }
    text_ += labels.size() > 0 ? "} " : " ";
    number(value);
}

void Exposition::sample(std::chrono::nanoseconds value) {
    text_ += name_;
    text_ += ' ';
    seconds(value);
}

void Exposition::bucket(std::string_view labels, std::string_view bound, std::uint64_t count) {
    text_ += name_;
    text_ += "_bucket{";
    text_ += labels;
    text_ += ",le=\"";
    text_ += bound;
    text_ += "\"} ";
    number(count);
}

void Exposition::end_of_histogram(std::string_view labels, std::uint64_t count,
                                  std::chrono::nanoseconds sum) {
    text_ += name_;
    text_ += "_count{";
    text_ += labels;
    text_ += "} ";
    number(count);
    text_ += name_;
    text_ += "_sum{";
    text_ += labels;
    text_ += "} ";
    seconds(sum);
}

std::string Exposition::finish() && {
    if (dialect_ == Dialect::openmetrics)
        text_ += "# EOF\n";
    return std::move(text_);
}

} // namespace interposed::control
