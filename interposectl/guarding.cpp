#include "interposectl/guarding.hpp"

#include "fallback/liveness.hpp"
#include "interposectl/errors.hpp"
#include "interposectl/text.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <vector>

namespace interposed::ctl {
namespace {

using namespace std::chrono_literals;
using fallback::Guarded;
using fallback::GuardFiles;

/// Of a guard: it reads itself into memory first.
constexpr std::chrono::seconds start_limit = 20s;
/// It may be in the middle of something.
constexpr std::chrono::seconds end_limit = 30s;

template <typename Condition>
bool eventually(Condition condition, std::chrono::seconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end)
            return false;
        std::this_thread::sleep_for(20ms);
    }
    return true;
}

/// How a process is to begin that nothing of ours keeps, or ends.
class Detached {
public:
    explicit Detached(const std::string& log) {
        ::posix_spawn_file_actions_init(&files_);
        ::posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        ::posix_spawn_file_actions_addopen(&files_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        ::posix_spawn_file_actions_addopen(&files_, STDERR_FILENO, log.c_str(),
                                           O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
        ::posix_spawnattr_init(&how_);
        sigset_t none;
        ::sigemptyset(&none);
        ::posix_spawnattr_setsigmask(&how_, &none);
        ::posix_spawnattr_setflags(&how_, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
    }
    ~Detached() {
        ::posix_spawnattr_destroy(&how_);
        ::posix_spawn_file_actions_destroy(&files_);
    }
    Detached(const Detached&) = delete;
    Detached& operator=(const Detached&) = delete;

    /// This program again, with other words: the process. Throws std::system_error.
    pid_t run(std::vector<std::string> words) {
        std::vector<char*> pointers;
        for (std::string& word : words)
            pointers.push_back(word.data());
        pointers.push_back(nullptr);
        pid_t process = 0;
        if (const int error =
                ::posix_spawn(&process, "/proc/self/exe", &files_, &how_, pointers.data(), environ);
            error != 0)
            throw std::system_error(error, std::generic_category(), "cannot start a guard");
        return process;
    }

private:
    posix_spawn_file_actions_t files_{};
    posix_spawnattr_t how_{};
};

bool has_ended(pid_t process) {
    return process > 0 && ::waitpid(process, nullptr, WNOHANG) == process;
}

} // namespace

void start_guard(const GuardFiles& files, const Guarded& one) {
    // One that has a /run of its own would be taken for dead.
    if (fallback::lease_holder(one.identifier).empty())
        throw LocalFailure("volume " + printable(one.volume) +
                           ": want to see the server hold the lease of the attachment, found "
                           "nobody does; have the two the same /run?");
    files.put(one);
    const std::string log = files.log_of(one.identifier);
    const auto is_guarded = [&] { return files.is_guarded(one.identifier); };
    pid_t process = 0;
    if (!is_guarded() && !files.are_all_guarded())
        process = Detached(log).run({"interposectl", "guard", "--", one.identifier});
    (void)eventually([&] { return is_guarded() || has_ended(process); }, start_limit);
    if (is_guarded())
        return;
    files.remove(one.identifier);
    const std::string said = files.said(one.identifier);
    throw LocalFailure("volume " + printable(one.volume) + ": want a guard for it, found none" +
                       (said.empty() ? " in time" : "; it said: " + harmless(said)));
}

void end_guard(const GuardFiles& files, const std::string& identifier) {
    files.remove(identifier);
    if (!eventually([&] { return !files.is_guarded(identifier); }, end_limit))
        throw LocalFailure(files.lock_of(identifier) + ": the guard does not end: it may be about "
                                                       "to lead its volume back to its disks");
}

std::string guard_text(const GuardFiles& files, const Guarded& one) {
    if (one.state == Guarded::State::fallen_back)
        return word_of(one.state);
    if (!files.is_guarded(one.identifier))
        return "NO GUARD";
    return one.state == Guarded::State::watching ? "guarded" : word_of(one.state);
}

} // namespace interposed::ctl
