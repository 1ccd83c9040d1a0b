#pragma once

#include "config/config.hpp"
#include "control/change_lock.hpp"
#include "control/jobs.hpp"
#include "control/state_store.hpp"
#include "server/server.hpp"

#include <asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace interposed::control {

/// Carries out what is to be changed while a server runs: one change at a time, whole or not at
/// all, and recorded before it is said to be done. On the server's own thread, which it never
/// lets wait. All throw Refusal, or config::ConfigError and devices::ClaimError where an export's
/// description or its devices are at fault; then everything is as before.
class Administration {
public:
    using LivePointer = std::shared_ptr<server::LiveExport>;
    using ExportPointer = std::shared_ptr<const server::Export>;
    using Seconds = std::chrono::duration<double>;

    /// Opening, claiming and checking may take this long, and closing what is not used any more.
    static constexpr std::chrono::seconds open_deadline{60};
    static constexpr std::chrono::seconds close_deadline{10};
    static constexpr std::chrono::seconds disconnect_deadline{30};

    /// What is to be done about clients of what is taken away.
    enum class Clients : std::uint8_t { refuse, drain, disconnect };
    /// Which wins where the configuration file and run-time changes disagree.
    enum class Winner : std::uint8_t { nobody, configuration, runtime };

    /// `file` is what the configuration file says, without what the store has recorded. No store:
    /// run-time changes are lost with the process.
    Administration(server::Server& server, config::Configuration file,
                   const server::Resolved& resolved, StateStore* store);

    /// Loads the tables that were recorded as loaded. Before the server runs; warns where one
    /// cannot be had any more.
    void load_recorded();

    /// What is parsed on a thread that may wait, for it can be long. `file` is for messages.
    template <typename Parsed>
    struct Text {
        std::string file;
        std::function<Parsed()> parse;
    };

    asio::awaitable<LivePointer> create(Text<config::Export> text);
    /// False: it takes no new clients any more, and goes with the last that it has.
    asio::awaitable<bool> remove(std::string name, Clients clients);
    /// Opens and claims all of the table, and puts it into the inactive slot.
    asio::awaitable<ExportPointer> load(std::string name, Text<std::vector<config::Segment>> text);
    asio::awaitable<bool> clear(std::string name);

    struct HowToPause {
        bool flush = true;
        Seconds timeout{30};
    };
    asio::awaitable<void> suspend(std::string name, HowToPause how);
    struct Resumed {
        bool swapped = false;
        std::uint64_t generation = 0;
        Seconds pause{}; ///< for how long requests were held, the time it was suspended included
    };
    asio::awaitable<Resumed> resume(std::string name, HowToPause how);
    struct Resized {
        std::uint64_t size = 0; ///< bytes
        bool grown = false;
        Seconds pause{};
    };
    /// Without a size: to what the devices have now.
    asio::awaitable<Resized> resize(std::string name, std::optional<std::uint64_t> size);
    struct Reopened {
        std::string device;
        int error = 0; ///< that was forgotten
    };
    asio::awaitable<std::vector<Reopened>> reopen(std::string name);
    struct Claimed {
        bool changed = false; ///< it had another claim before
        bool free = true;     ///< of one that is released: anybody can claim the devices now
        Seconds pause{};
    };
    /// Makes a shared claim an adopted one, or an adopted one shared again, while it is served.
    asio::awaitable<Claimed> change_claim(std::string name, config::Claim claim, Seconds timeout);
    /// Empty: every export. The number of connections there still are.
    asio::awaitable<std::uint64_t> drain(std::optional<std::string> name, bool on);
    /// Changes what no request depends on, of what is live and what is loaded, and records it.
    /// `what` is for messages.
    asio::awaitable<void> change_terms(const char* what, std::string name,
                                       std::function<void(config::Export&)> change);
    asio::awaitable<void> set_qos(std::string name, std::function<void(config::Qos&)> change);

    struct Reloaded {
        std::vector<std::string> added;
        std::vector<std::string> removed;
        std::vector<std::string> changed;
        std::size_t unchanged = 0;
        std::vector<std::string> listeners_added;
        std::vector<std::string> listeners_removed;
    };
    asio::awaitable<Reloaded> reload(Clients clients, Winner winner);

    [[nodiscard]] LivePointer
    find(std::string_view name) const; ///< throws Refusal if there is none
    /// As find(), but one that is being removed is refused.
    [[nodiscard]] LivePointer find_to_change(const std::string& name) const;
    [[nodiscard]] server::Server& server() { return server_; }
    [[nodiscard]] const config::Configuration& file() const { return file_; }
    [[nodiscard]] const StateStore* store() const { return store_; }
    /// Whether what is changed is kept over a restart.
    [[nodiscard]] bool records() const { return store_ != nullptr; }

    /// How an export came about.
    struct Origin {
        bool runtime = false;  ///< the configuration file has none of its name
        bool changed = false;  ///< differs from the configuration file
        bool recorded = false; ///< that is kept over a restart
    };
    [[nodiscard]] Origin origin_of(const server::LiveExport& live) const;
    [[nodiscard]] std::vector<std::string> disabled() const { return disabled_; }

private:
    struct Swap {
        LivePointer live;
        ExportPointer next;
        bool held_here = false;   ///< it was not suspended before
        bool closed_here = false; ///< it let clients in before
    };
    struct Plan;

    // administration.cpp
    /// All exports but one, as they are resolved, and they themselves, which that refers to.
    struct Others {
        std::vector<ExportPointer> kept;
        std::vector<server::ResolvedExport> served;
        std::vector<server::ResolvedExport> loaded;
    };
    /// Null: all of them.
    [[nodiscard]] std::shared_ptr<Others> others_than(const server::Export* except) const;
    /// The file's, that were removed at run time.
    [[nodiscard]] std::vector<std::string> removed_from_file() const;
    asio::awaitable<ExportPointer> open_beside(Text<config::Export> text, ExportPointer before);
    using PendingRecord = std::shared_ptr<StateStore::Pending>;
    asio::awaitable<PendingRecord> prepare_record(std::string name, ExportPointer live,
                                                  ExportPointer loaded);
    /// After `timeout` nothing is recorded, or it is too late to call it off and it is done.
    asio::awaitable<void> commit(PendingRecord pending, Seconds timeout);
    asio::awaitable<void> record(std::string name, ExportPointer live, ExportPointer loaded);
    asio::awaitable<void> store(std::function<void(const StateStore::MayCommit&)> work,
                                Seconds timeout);
    asio::awaitable<void> close(ExportPointer last);
    asio::awaitable<bool> disconnect_all(LivePointer live);
    asio::awaitable<bool> remove_when_empty(LivePointer live);
    asio::awaitable<void> finish_removal(LivePointer live);
    [[nodiscard]] const config::Export* in_file(std::string_view name) const;
    void tell(server::EventKind kind, std::string name, std::string detail = {});

    // swap.cpp
    asio::awaitable<Seconds> swap(std::vector<Swap> swaps, HowToPause how,
                                  std::function<asio::awaitable<void>()> record);
    /// Swaps one in, and records it. Gives back for how long requests were held.
    asio::awaitable<Seconds> swap_in(LivePointer live, ExportPointer next, HowToPause how);
    Seconds end_suspension(const std::string& name);
    asio::awaitable<void> hold(std::span<Swap> swaps, Clock::time_point deadline);
    asio::awaitable<void> flush(std::span<const Swap> swaps, Clock::time_point deadline);
    asio::awaitable<void> go_on(std::span<const Swap> swaps);
    void give_up(std::span<const Swap> swaps);
    void check_compatible(const Swap& swap) const;
    void check_running() const;

    // claims.cpp
    using ClaimChange = std::shared_ptr<devices::Registry::ClaimChange>;
    [[nodiscard]] ExportPointer with_claim(const server::LiveExport& live,
                                           config::Claim claim) const;
    asio::awaitable<Seconds> apply_claim(LivePointer live, ExportPointer next, ClaimChange change,
                                         Seconds timeout);
    asio::awaitable<bool> close_claim(ClaimChange change, std::string name);

    // reload.cpp
    asio::awaitable<void> prepare(std::shared_ptr<Plan> plan, Winner winner);
    void settle_runtime_changes(Plan& plan, Winner winner);
    static void keep_state(Plan& plan, config::Export& wanted, const config::Export& now);
    void open_all(Plan& plan);
    void plan_change(Plan& plan, const LivePointer& live, const server::ResolvedExport& resolved);
    void check_beside_staying(const Plan& plan) const;
    server::ExportSet::List keep_out_of(const server::ExportSet::List& removed, Clients clients);
    asio::awaitable<void> forget(std::shared_ptr<Plan> plan);
    void put_in_place(Plan& plan);
    asio::awaitable<void> apply_rules();
    asio::awaitable<void> take_away(server::ExportSet::List removed, Clients clients);

    server::Server& server_;
    config::Configuration file_;
    StateStore* const store_;
    Jobs jobs_;
    Jobs records_; ///< one thread: the store is for one at a time
    ChangeLock changes_;
    std::map<std::string, Clock::time_point> suspended_since_;
    std::set<std::string> removing_; ///< that go with the last of their clients
    std::vector<std::string> disabled_;
    std::vector<ExportPointer> retired_; ///< to be closed when there is time to wait
};

} // namespace interposed::control
