#include "fallback/retreat.hpp"

#include "attach/kernel_device.hpp"
#include "attach/nbd_netlink.hpp"
#include "config/quotes.hpp"
#include "fallback/liveness.hpp"
#include "fallback/stand_in.hpp"
#include "volume/block_devices.hpp"
#include "volume/bounded.hpp"
#include "volume/exchange.hpp"
#include "volume/mounts.hpp"

#include <cerrno>
#include <memory>
#include <thread>
#include <utility>

namespace interposed::fallback {
namespace {

using namespace std::chrono_literals;
using State = Guarded::State;

/// Of one attempt to swap; the stand-in serves as long as it takes.
constexpr std::chrono::seconds swap_limit = 20s;
constexpr std::chrono::seconds answer_limit = 5s;
constexpr std::chrono::seconds claim_limit = 10s;
constexpr std::chrono::milliseconds between_attempts = 500ms;
/// For what a guard that was killed has in the kernel.
constexpr std::chrono::seconds lease_lingers = 2s;

std::optional<attach::Lease> take_lease(const std::string& identifier) {
    const auto end = std::chrono::steady_clock::now() + lease_lingers;
    auto taken = attach::Lease::take(identifier);
    while (!taken && std::chrono::steady_clock::now() < end) {
        std::this_thread::sleep_for(20ms);
        taken = attach::Lease::take(identifier);
    }
    return taken;
}

} // namespace

std::string leads_here(const Guarded& one) {
    const auto found = volume::look_at(one.number);
    const auto device = volume::BlockDevices().number_of(one.device);
    if (!found || !device || found->uuid != one.uuid)
        return "";
    for (const volume::Area& area : volume::linear_areas(found->live))
        if (area.device == *device)
            return found->name;
    return "";
}

bool Retreat::run() {
    const auto lease = take_lease(one_.identifier);
    if (!lease) {
        enter(State::watching);
        return false;
    }
    try {
        lead_back();
    } catch (const GaveWay&) {
        enter(State::watching);
        return false;
    }
    enter(State::fallen_back);
    return true;
}

void Retreat::enter(State state) {
    if (one_.state == state)
        return;
    one_.state = state;
    one_.since = now_text();
    try {
        if (files_.find(one_.identifier)) // else it was released meanwhile
            files_.put(one_);
    } catch (const std::exception& why) { // it goes on without
        say(why.what());
    }
}

void Retreat::say_once(const std::string& text) {
    if (std::exchange(said_, text) != text)
        say(text);
}

/// First what is in flight is answered: a table is swapped when nothing is. A stand-in serves for
/// as long as the swap is refused, so nobody above notices that.
void Retreat::lead_back() {
    std::unique_ptr<StandIn> stand_in;
    for (std::string name; !(name = leads_here(one_)).empty();) {
        enter(State::standing_in);
        try {
            // A device that is not attached any more fails what it is asked, and waits for nobody.
            if (attach::find_attached(one_.identifier)) {
                if (!stand_in)
                    stand_in = std::make_unique<StandIn>(one_);
                stand_in->keep();
            }
            try_to_swap(name);
            continue;
        } catch (const std::exception& why) {
            say_once(why.what());
        }
        std::this_thread::sleep_for(between_attempts);
    }
    free_device();
}

void Retreat::try_to_swap(const std::string& name) {
    try {
        const auto pause = volume::exchange(name, one_.after, one_.before,
                                            volume::mount_points_on(one_.number), swap_limit);
        say("volume " + config::in_quotes(name) + ": it is on its disks again; I/O was held for " +
            std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(pause).count()) +
            " ms for that");
    } catch (const volume::MapperError& why) {
        // Whoever has claimed the disks, and answers, is a server that was started after all.
        if (why.error() != EBUSY || !answers(one_.control, answer_limit))
            throw;
        say("volume " + config::in_quotes(name) + ": a server has claimed its disks and goes on");
        throw GaveWay{};
    }
}

/// Nothing of ours is in the volume's path any more.
void Retreat::free_device() {
    const auto found = attach::find_attached(one_.identifier);
    if (!found)
        return;
    try {
        if (const std::string why = volume::try_claiming(one_.device, claim_limit); !why.empty())
            say(one_.device + ": stays attached, for it is in use: " + why);
        else
            attach::NbdNetlink().disconnect(found->index);
    } catch (const std::exception& why) {
        say(why.what());
    }
}

} // namespace interposed::fallback
