#include "fallback/guard.hpp"

#include "attach/lock_file.hpp"
#include "attach/nbd_netlink.hpp"
#include "attach/residence.hpp"
#include "config/quotes.hpp"
#include "fallback/liveness.hpp"
#include "fallback/retreat.hpp"
#include "fallback/vigil.hpp"
#include "volume/block_devices.hpp"
#include "volume/residence.hpp"

#include <map>
#include <stdexcept>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace interposed::fallback {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds between_looks = 500ms;
constexpr std::chrono::seconds answer_limit = 5s;

/// What is needed when there is no server is not to be read in then.
void stay_in_memory() {
    for (const std::string& what : attach::stay_resident())
        say("without what protects it when memory is short: " + what);
    if (const std::string why = volume::stay_resident(); !why.empty())
        say(why);
    (void)attach::NbdNetlink();
}

class Watch {
public:
    Watch(const GuardFiles& files, Guarded one)
        : files_(files), one_(std::move(one)), vigil_(std::chrono::seconds(one_.patience_s)) {}

    void run() {
        // Whoever was here before has not come to the end of it.
        bool begun = one_.state == Guarded::State::standing_in;
        for (bool back = false; !back;) {
            try {
                if (!is_wanted())
                    return;
                back = std::exchange(begun, false) ? retreat() : look();
            } catch (const std::exception& why) {
                say_once(why.what());
            }
            std::this_thread::sleep_for(between_looks);
        }
    }

private:
    [[nodiscard]] bool is_wanted() {
        const auto now = files_.find(one_.identifier);
        if (now && now->patience_s != one_.patience_s) { // said anew
            one_.patience_s = now->patience_s;
            vigil_ = Vigil(std::chrono::seconds(one_.patience_s));
        }
        return now && now->state != Guarded::State::fallen_back;
    }

    /// True: the volume is on its disks.
    bool look() {
        switch (vigil_.judge(sight(), Vigil::Clock::now())) {
        case Vigil::Verdict::well:
            return false;
        case Vigil::Verdict::suspect:
            suspect();
            return false;
        case Vigil::Verdict::dead:
            break;
        }
        say(subject() + "no server for " + std::to_string(one_.patience_s) +
            " s: leading it back to its disks");
        const bool back = retreat();
        vigil_.begin_anew();
        return back;
    }

    bool retreat() { return Retreat(files_, one_).run(); }

    [[nodiscard]] Sight sight() const {
        const auto activity = volume::BlockDevices().activity_of(one_.number);
        return {.leads_here = !leads_here(one_).empty(),
                .holder = lease_holder(one_.identifier),
                .in_flight = activity.in_flight,
                .done = activity.done};
    }

    void suspect() {
        vigil_.begin_anew();
        if (answers(one_.control, answer_limit)) {
            say_once(subject() + "nothing was answered for " + std::to_string(one_.patience_s) +
                     " s, but the server is alive: waiting for it and its disks");
            return;
        }
        say(subject() + "its server hangs: nothing was answered for " +
            std::to_string(one_.patience_s) + " s; killed " + kill_holder(one_.identifier));
    }

    void say_once(const std::string& text) {
        if (std::exchange(said_, text) != text)
            say(text);
    }
    [[nodiscard]] std::string subject() const {
        return "volume " + config::in_quotes(one_.volume) + ": ";
    }

    const GuardFiles& files_;
    Guarded one_;
    Vigil vigil_;
    std::string said_;
};

/// In a child.
[[noreturn]] void guard_and_exit(const GuardFiles& files, const std::string& identifier) {
    try {
        guard(files, identifier);
        ::_exit(0);
    } catch (const std::exception& why) {
        say(why.what());
    }
    ::_exit(1);
}

} // namespace

void guard(const GuardFiles& files, const std::string& identifier) {
    stay_in_memory();
    const auto lock = attach::LockFile::wait_for(files.lock_of(identifier));
    if (auto one = files.find(identifier))
        Watch(files, std::move(*one)).run();
}

void guard_all(const GuardFiles& files) {
    const auto lock = attach::LockFile::take(files.lock_of_all());
    if (!lock)
        throw std::runtime_error("another process guards all volumes already: " +
                                 attach::LockFile::holder_of(files.lock_of_all()));
    stay_in_memory();
    std::map<std::string, pid_t> guards;
    for (;;) {
        for (const Guarded& each : files.all()) {
            if (each.state == Guarded::State::fallen_back || guards.contains(each.identifier))
                continue;
            const pid_t child = ::fork();
            if (child == 0) {
                ::close(lock->fd()); // it may outlive this process, and its lock must not
                guard_and_exit(files, each.identifier);
            }
            if (child > 0)
                guards[each.identifier] = child;
        }
        std::this_thread::sleep_for(between_looks);
        std::erase_if(guards, [](const auto& each) {
            return ::waitpid(each.second, nullptr, WNOHANG) == each.second;
        });
    }
}

} // namespace interposed::fallback
