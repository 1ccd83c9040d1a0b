#pragma once

#include <span>
#include <string_view>

/// What can be asked for, as data: the parser, the help and the tests read the same table.
namespace interposed::ctl {

struct OptionSyntax {
    const char* name;  ///< without "--"
    const char* value; ///< how the help calls its value; null: it takes none
    const char* help;
};

struct VerbSyntax {
    std::string_view name;
    std::string_view operands; ///< "EXPORT [SIZE]", for the help
    std::string_view summary;  ///< one line
    std::string_view details;  ///< further lines, each ending in a line end; may be empty
    std::span<const OptionSyntax> options;
    std::size_t least_operands = 0;
    std::size_t most_operands = 0;
};

/// In the order of the help.
extern const std::span<const VerbSyntax> verbs;

/// What every verb takes.
extern const std::span<const OptionSyntax> common_options;

/// What `wait` can wait for.
extern const std::span<const std::string_view> event_names;

/// Null if there is none of that name.
const VerbSyntax* find_verb(std::string_view name);

} // namespace interposed::ctl
