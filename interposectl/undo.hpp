#pragma once

#include <functional>
#include <string>
#include <vector>

namespace interposed::ctl {

/// What takes back the steps that were done, in case a later one fails.
class Undo {
public:
    /// `what` says what undoing comes to, for people: "detached /dev/nbd0".
    void add(std::string what, std::function<void()> step) {
        steps_.push_back({std::move(what), std::move(step)});
    }
    /// What was done stays.
    void forget() { steps_.clear(); }
    /// Takes everything back, the last first, up to a step that cannot be taken back: those before
    /// it may be what it still stands on. A line for each.
    std::string run();

private:
    struct Step {
        std::string what;
        std::function<void()> step;
    };
    std::vector<Step> steps_;
};

} // namespace interposed::ctl
