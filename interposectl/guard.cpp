#include "fallback/guard.hpp"

#include "interposectl/interpose.hpp"
#include "interposectl/text.hpp"
#include "volume/facts.hpp"

#include <unistd.h>

namespace interposed::ctl {
namespace {

/// By its own name first: `interpose` gives that, and there may be no /dev to look into.
fallback::Guarded find_guarded(const fallback::GuardFiles& files, const std::string& wanted) {
    for (fallback::Guarded& each : files.all())
        if (each.identifier == wanted || each.volume == wanted)
            return std::move(each);
    const volume::Mapped found = volume::find_volume(wanted);
    if (auto one = files.find_volume(found.name, found.uuid))
        return std::move(*one);
    throw Refused({{"code", code_not_found},
                   {"message", "volume " + printable(found.name) +
                                   ": want it interposed with --fail-open, found it is not"},
                   {"data", {{"kind", "not_found"}}}});
}

} // namespace

Exit guard(const Arguments& arguments) {
    const fallback::GuardFiles files;
    std::string identifier;
    if (const auto wanted = arguments.operand(0))
        identifier = find_guarded(files, *wanted).identifier;
    if (::chdir("/") != 0)
        throw LocalFailure("cannot leave the working folder, which may be on the volume");
    if (identifier.empty())
        fallback::guard_all(files);
    fallback::guard(files, identifier);
    return Exit::done;
}

} // namespace interposed::ctl
