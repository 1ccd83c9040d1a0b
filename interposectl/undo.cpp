#include "interposectl/undo.hpp"

#include <exception>
#include <utility>

namespace interposed::ctl {

std::string Undo::run() {
    std::string text;
    std::vector<Step> steps = std::exchange(steps_, {});
    bool failed = false;
    for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
        if (failed) {
            text += "\nleft as it is, because of that: " + step->what;
            continue;
        }
        try {
            step->step();
            text += "\nundone: " + step->what;
        } catch (const std::exception& why) {
            text += "\nNOT undone: " + step->what + ": " + why.what();
            failed = true;
        }
    }
    return text;
}

} // namespace interposed::ctl
