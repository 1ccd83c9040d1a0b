#include "interposectl/arguments.hpp"

#include "config/nearest.hpp"
#include "config/quotes.hpp"
#include "config/sizes.hpp"
#include "config/text.hpp"
#include "interposectl/errors.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <getopt.h>
#include <stdexcept>

namespace interposed::ctl {
namespace {

using config::in_quotes;

constexpr const char* usual_socket = "/run/interposed/control.sock";
constexpr int first_option = 256; ///< getopt's own results are characters

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = config::character_length(text);
        if (length == 0)
            return false;
        text.remove_prefix(length);
    }
    return true;
}

/// What one call of getopt can find: the options of every verb, or of one in addition.
class OptionSet {
public:
    explicit OptionSet(const VerbSyntax* verb) {
        for (const OptionSyntax& each : common_options)
            add(each);
        if (verb == nullptr)
            add({"version", nullptr, ""});
        else
            for (const OptionSyntax& each : verb->options)
                add(each);
        long_.push_back({nullptr, 0, nullptr, 0});
    }

    [[nodiscard]] const option* data() const { return long_.data(); }
    [[nodiscard]] std::string_view name(int what) const {
        return names_[static_cast<std::size_t>(what - first_option)];
    }
    [[nodiscard]] const std::vector<std::string_view>& names() const { return names_; }

private:
    void add(const OptionSyntax& syntax) {
        long_.push_back({syntax.name, syntax.value == nullptr ? no_argument : required_argument,
                         nullptr, first_option + static_cast<int>(names_.size())});
        names_.emplace_back(syntax.name);
    }

    std::vector<option> long_;
    std::vector<std::string_view> names_;
};

/// Says why getopt stopped; `word` is where it did.
[[noreturn]] void refuse_option(const OptionSet& known, int result, const std::string& word) {
    const std::string written = word.substr(0, word.find('='));
    if (result == ':')
        throw UsageError(written + ": want a value, found none");
    if (optopt >= first_option)
        throw UsageError("--" + std::string(known.name(optopt)) + ": want no value, found " +
                         in_quotes(word.substr(std::min(written.size() + 1, word.size()))));
    if (optopt != 0)
        throw UsageError("unknown option " +
                         in_quotes(std::string{'-', static_cast<char>(optopt)}));
    const auto begins = [&](std::string_view name) {
        return std::string_view(written).substr(2) == name.substr(0, written.size() - 2);
    };
    if (std::count_if(known.names().begin(), known.names().end(), begins) > 1)
        throw UsageError("option " + in_quotes(written) + " can mean several");
    throw UsageError("unknown option " + in_quotes(written) +
                     config::hint(std::string_view(written).substr(2), known.names()));
}

void take_option(Arguments& arguments, std::string_view name, const char* value) {
    if (name == "help")
        arguments.action = Arguments::Action::help;
    else if (name == "version" && arguments.verb == nullptr)
        arguments.action = Arguments::Action::version;
    else if (name == "json")
        arguments.json = true;
    else if (name == "socket")
        arguments.socket = value;
    else
        arguments.options[std::string(name)] = value == nullptr ? "" : value;
}

/// Takes the options of the verb, or those before it. `words[0]` is no option. Returns the rest.
std::vector<std::string> take_options(Arguments& arguments, std::vector<std::string> words) {
    const OptionSet known(arguments.verb);
    std::vector<char*> argv;
    for (std::string& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    const int argc = static_cast<int>(words.size());
    // Options of a verb may stand behind its operands; those of all end where the verb is.
    const char* const order = arguments.verb == nullptr ? "+:" : ":";
    optind = 0; // begin anew
    opterr = 0; // the messages are ours
    for (int what = 0;
         (what = ::getopt_long(argc, argv.data(), order, known.data(), nullptr)) != -1;) {
        if (what < first_option)
            refuse_option(known, what, argv[static_cast<std::size_t>(optind - 1)]);
        take_option(arguments, known.name(what), optarg);
    }
    return {argv.begin() + optind, argv.end() - 1};
}

const VerbSyntax* verb_named(const std::string& name) {
    const VerbSyntax* const verb = find_verb(name);
    if (verb != nullptr)
        return verb;
    std::vector<std::string_view> names = {"help"};
    for (const VerbSyntax& each : verbs)
        names.push_back(each.name);
    const std::string_view meant = config::nearest(name, names);
    throw UsageError("unknown verb " + in_quotes(name) +
                     (meant.empty() ? "" : "; did you mean " + in_quotes(meant) + "?"));
}

void check_operand_count(const VerbSyntax& verb, const std::vector<std::string>& operands) {
    if (operands.size() >= verb.least_operands && operands.size() <= verb.most_operands)
        return;
    if (operands.size() > verb.most_operands)
        throw UsageError(std::string(verb.name) +
                         ": one too many: " + in_quotes(operands[verb.most_operands]));
    throw UsageError(std::string(verb.name) + ": want " + std::string(verb.operands) + ", found " +
                     (operands.empty() ? "nothing" : in_quotes(operands.front()) + " alone"));
}

Arguments parse_help(Arguments arguments, const std::vector<std::string>& words) {
    arguments.action = Arguments::Action::help;
    if (words.size() > 2)
        throw UsageError("help: one too many: " + in_quotes(words[2]));
    if (words.size() == 2 && !words[1].starts_with("--"))
        arguments.verb = verb_named(words[1]);
    return arguments;
}

} // namespace

std::optional<std::string> Arguments::value(std::string_view option) const {
    const auto found = options.find(option);
    return found == options.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::string> Arguments::operand(std::size_t index) const {
    return index < operands.size() ? std::optional(operands[index]) : std::nullopt;
}

Arguments parse_arguments(const std::vector<std::string>& words) {
    for (const std::string& word : words)
        if (!is_utf8(word))
            throw UsageError("want arguments in UTF-8, found " + in_quotes(word));
    Arguments arguments;
    std::vector<std::string> all = {"interposectl"};
    all.insert(all.end(), words.begin(), words.end());
    std::vector<std::string> rest = take_options(arguments, std::move(all));
    if (arguments.action != Arguments::Action::run)
        return arguments;
    if (rest.empty())
        throw UsageError("want a verb, such as ls or status; see interposectl --help");
    if (rest.front() == "help")
        return parse_help(std::move(arguments), rest);
    arguments.verb = verb_named(rest.front());
    arguments.operands = take_options(arguments, std::move(rest));
    if (arguments.action == Arguments::Action::run)
        check_operand_count(*arguments.verb, arguments.operands);
    return arguments;
}

bool wants_json(const std::vector<std::string>& words) {
    const auto end = std::find(words.begin(), words.end(), "--");
    return std::find(words.begin(), end, "--json") != end;
}

std::string socket_path(const Arguments& arguments) {
    if (arguments.socket)
        return *arguments.socket;
    const char* const path = std::getenv("INTERPOSED_CONTROL");
    return path == nullptr || *path == '\0' ? usual_socket : path;
}

double parse_seconds(const std::string& what, const std::string& text) {
    double seconds = 0;
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, seconds, std::chars_format::fixed);
    // Above a century nobody waits; "inf" and "nan" are numbers to from_chars.
    if (parsed.ec != std::errc() || parsed.ptr != end || !(seconds >= 0 && seconds <= 3e9))
        throw UsageError(what + ": want seconds such as 30 or 0.5, found " + in_quotes(text));
    return seconds;
}

std::uint64_t parse_count(const std::string& what, const std::string& text) {
    std::uint64_t count = 0;
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, count);
    if (parsed.ec != std::errc() || parsed.ptr != end || count > config::largest_size)
        throw UsageError(what + ": want a whole number, found " + in_quotes(text));
    return count;
}

std::uint64_t parse_size(const std::string& what, const std::string& text) {
    const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
    try {
        return digits ? config::parse_bytes(text) : config::parse_size(text);
    } catch (const std::invalid_argument& why) {
        throw UsageError(what + ": " + why.what());
    }
}

} // namespace interposed::ctl
