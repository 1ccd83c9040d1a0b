#pragma once

#include "attach/lease.hpp"
#include "fallback/guarded.hpp"
#include "fallback/say.hpp"

#include <optional>
#include <string>

namespace interposed::fallback {

/// The way of a volume back to its disks, without its server. It may be broken off at any moment,
/// by a kill too, and begun anew.
class Retreat {
public:
    Retreat(const GuardFiles& files, Guarded& one) : files_(files), one_(one) {}

    /// True: the volume does not lead to the device any more. False: a server has come after all,
    /// and nothing was changed.
    bool run();

private:
    /// Gives way to a server that has claimed the disks.
    struct GaveWay {};

    void lead_back();
    void try_to_swap(const std::string& name);
    void free_device();
    void enter(Guarded::State state);
    void say_once(const std::string& text);

    const GuardFiles& files_;
    Guarded& one_;
    std::string said_;
};

/// The name of the volume, if its live table leads to the attached device; else empty. Throws
/// volume::MapperError.
std::string leads_here(const Guarded& one);

} // namespace interposed::fallback
