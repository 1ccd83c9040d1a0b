#include "interposectl/undo.hpp"

#include <exception>
#include <utility>

namespace interposed::ctl {

std::string Undo::run() {
    std::string text;
    std::vector<Step> steps = std::exchange(steps_, {});
    for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
        try {
            step->step();
            text += "\nundone: " + step->what;
        } catch (const std::exception& why) {
            text += "\nNOT undone: " + step->what + ": " + why.what();
        }
    }
    return text;
}

} // namespace interposed::ctl
