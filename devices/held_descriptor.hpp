#pragma once

#include "devices/engine.hpp"

#include <utility>
#include <vector>

namespace interposed::devices {

/// An open file description that the kernel keeps for as long as a request of these engines is in
/// it, even if the process is killed: Engine::hold(). The engines outlive this.
class HeldDescriptor {
public:
    HeldDescriptor(const std::vector<Engine*>& engines, int fd) {
        for (Engine* const engine : engines) {
            if (const int slot = engine->hold(fd); slot >= 0)
                holds_.emplace_back(engine, slot);
        }
    }
    ~HeldDescriptor() {
        for (const auto& [engine, slot] : holds_)
            engine->release(slot);
    }
    HeldDescriptor(const HeldDescriptor&) = delete;
    HeldDescriptor& operator=(const HeldDescriptor&) = delete;

private:
    std::vector<std::pair<Engine*, int>> holds_;
};

} // namespace interposed::devices
