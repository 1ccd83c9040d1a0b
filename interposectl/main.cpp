#include "interposectl/arguments.hpp"
#include "interposectl/carry_out.hpp"
#include "interposectl/errors.hpp"
#include "interposectl/help.hpp"
#include "interposectl/terminal.hpp"

#include <iostream>

namespace {

using namespace interposed::ctl;

Exit run(const Arguments& arguments) {
    switch (arguments.action) {
    case Arguments::Action::help:
        print(arguments.verb == nullptr ? overall_help() : verb_help(*arguments.verb));
        return Exit::done;
    case Arguments::Action::version:
        print("interposectl " INTERPOSED_VERSION "\n");
        return Exit::done;
    case Arguments::Action::run:
        break;
    }
    return carry_out(arguments);
}

int report(const Failure& failure, bool as_json) {
    if (as_json) {
        const Json error = {{"error", failure.error()}};
        std::cout << json_text(error, is_terminal()) << std::endl;
    } else {
        std::cerr << error_lines(failure);
    }
    return static_cast<int>(failure.status());
}

} // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
    end_on_interrupt(static_cast<int>(Exit::interrupted));
    bool as_json = wants_json(words);
    try {
        const Arguments arguments = parse_arguments(words);
        as_json = arguments.json;
        return static_cast<int>(run(arguments));
    } catch (const Failure& failure) {
        return report(failure, as_json);
    } catch (const std::exception& why) {
        return report(LocalFailure(why.what()), as_json);
    }
}
