#pragma once

#include "interposectl/syntax.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace interposed::ctl {

/// The command line, sorted.
struct Arguments {
    enum class Action : std::uint8_t { run, help, version };

    Action action = Action::run;
    const VerbSyntax* verb = nullptr; ///< null for the help of the whole, and for the version
    std::optional<std::string> socket;
    bool json = false;
    std::map<std::string, std::string, std::less<>> options; ///< of the verb; "" without a value
    std::vector<std::string> operands;

    [[nodiscard]] bool has(std::string_view option) const { return options.contains(option); }
    [[nodiscard]] std::optional<std::string> value(std::string_view option) const;
    /// The operand, or nullopt if there are fewer.
    [[nodiscard]] std::optional<std::string> operand(std::size_t index) const;
};

/// `words` are those behind the program's name. Throws UsageError.
Arguments parse_arguments(const std::vector<std::string>& words);

/// Whether errors are to be printed as JSON, also where the words cannot be parsed.
bool wants_json(const std::vector<std::string>& words);

/// The socket to connect to: --socket, else $INTERPOSED_CONTROL, else the usual place.
std::string socket_path(const Arguments& arguments);

/// Values. `what` names them for the UsageError: "--timeout".
double parse_seconds(const std::string& what, const std::string& text);
std::uint64_t parse_count(const std::string& what, const std::string& text);
/// Bytes, or with a unit: "10GiB", "2048s".
std::uint64_t parse_size(const std::string& what, const std::string& text);

} // namespace interposed::ctl
