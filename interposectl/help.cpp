#include "interposectl/help.hpp"

#include <algorithm>
#include <vector>

namespace interposed::ctl {
namespace {

std::string padded(std::string text, std::size_t width) {
    text.resize(std::max(text.size(), width), ' ');
    return text;
}

/// "--timeout S"
std::string option_text(const OptionSyntax& option) {
    std::string text = "--" + std::string(option.name);
    return option.value == nullptr ? text : text + " " + option.value;
}

std::string option_lines(std::span<const OptionSyntax> options) {
    std::size_t width = 0;
    for (const OptionSyntax& option : options)
        width = std::max(width, option_text(option).size());
    std::string lines;
    for (const OptionSyntax& option : options) {
        std::string line = "  " + padded(option_text(option), width) + "  " + option.help;
        line.erase(line.find_last_not_of(' ') + 1);
        lines += line + "\n";
    }
    return lines;
}

} // namespace

std::string overall_help() {
    std::string text = "usage: interposectl [--socket PATH] [--json] VERB [ARGUMENT]...\n"
                       "\n"
                       "Talks to a running interposed through its control socket.\n"
                       "\n";
    for (const VerbSyntax& verb : verbs)
        text += "  " + padded(std::string(verb.name), 12) + std::string(verb.summary) + "\n";
    text += "  help [VERB] print this, or the options of one verb\n\n";
    text += option_lines(common_options);
    text += "  --version\n"
            "\n"
            "Without --socket it is $INTERPOSED_CONTROL, or else /run/interposed/control.sock.\n"
            "\n"
            "Exit status: 0 done; 1 the server refused, or it failed; 2 wrong usage; 3 the server\n"
            "cannot be reached; 4 a deadline passed.\n";
    return text;
}

std::string verb_help(const VerbSyntax& verb) {
    std::string usage = "usage: interposectl " + std::string(verb.name);
    if (!verb.options.empty())
        usage += " [OPTION]...";
    if (!verb.operands.empty())
        usage += " " + std::string(verb.operands);
    std::string text =
        usage + "\n\n" + std::string(verb.summary) + ".\n" + std::string(verb.details) + "\n";
    std::vector<OptionSyntax> options(verb.options.begin(), verb.options.end());
    options.insert(options.end(), common_options.begin(), common_options.end());
    return text + option_lines(options);
}

} // namespace interposed::ctl
