#pragma once

#include "server/export.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace interposed::server {

/// What clients of an export rely on, once they have been told.
struct Terms {
    std::uint64_t size = 0;          ///< bytes
    std::uint32_t minimum_block = 0; ///< bytes
    bool read_only = false;

    static Terms of(const Export& made);
    /// Why clients that know these would be hurt by those: the export has become smaller, wants
    /// larger blocks, or is read-only. Empty: they would not be.
    [[nodiscard]] std::string why_not(const Terms& after) const;
};

/// Who does I/O on an export, as its sessions do, and can be told to pause. Both calls may come
/// from any thread and return at once; both answers may be given on any thread.
class Guest {
public:
    virtual ~Guest() = default;

    /// Takes no more requests. `quiet` is called once nothing of this guest is in the export's
    /// layer, and no WRITE of it is half done.
    virtual void hold(std::function<void()> quiet) = 0;

    /// Takes requests again, of the export as it is `now`. `went_on` is called once nothing of
    /// the export before is in use.
    virtual void go_on(std::shared_ptr<const Export> now, std::function<void()> went_on) = 0;

    /// For messages: "session 12 (127.0.0.1:4711)".
    [[nodiscard]] virtual std::string description() const = 0;
    /// Requests that it has accepted and not answered.
    [[nodiscard]] virtual std::uint64_t in_flight() const = 0;
};

/// An export while it is served: what it is now, who uses it, and the way to change the one
/// without the other noticing. Thread-safe.
///
/// It is swapped as device-mapper swaps a table: hold() lets what is running finish and lets
/// nothing more begin, then the new version is put in place, then go_on(). Clients see a pause.
class LiveExport : public std::enable_shared_from_this<LiveExport> {
public:
    /// A connection's place at the export, from the moment it chooses it to its end, however that
    /// comes about.
    class Seat;

    struct Admitted {
        Admission answer = Admission::yes;
        std::unique_ptr<Seat> seat; ///< if the answer is yes
    };

    explicit LiveExport(std::shared_ptr<const Export> first) : now_(std::move(first)) {}

    [[nodiscard]] std::shared_ptr<const Export> now() const;
    [[nodiscard]] unsigned connections() const;
    /// Requests that are accepted and not answered.
    [[nodiscard]] std::uint64_t in_flight() const;

    /// Whether a client is let in also where others are not: while it drains, and beyond
    /// max_connections.
    enum class Entitled : std::uint8_t { no, yes };
    /// `offered` is what the client has been told.
    Admitted admit(const Terms& offered, Entitled entitled = Entitled::no);

    /// `then` is called, on any thread, when it has no connection any more, or at once if it has
    /// none.
    void when_empty(std::function<void()> then);

    /// From now on nobody new is let in, or everybody is again.
    void drain(bool on);
    [[nodiscard]] bool draining() const;

    /// Whether sessions that begin log each request.
    void set_tracing(bool on) { tracing_ = on; }
    [[nodiscard]] bool tracing() const { return tracing_; }

    /// Lets everybody pause; `all_quiet` is called, on any thread, once they have. One at a time:
    /// until go_on() was called and has been answered.
    void hold(std::function<void()> all_quiet);
    /// Lets everybody go on, with what now() is; also where hold() was not answered yet, and then
    /// never is. `all_went_on` is called once nobody uses anything older.
    void go_on(std::function<void()> all_went_on);
    /// Nothing is in flight, and nothing is begun until go_on().
    [[nodiscard]] bool held() const;
    /// Whom hold() or go_on() still waits for.
    [[nodiscard]] std::vector<std::string> waiting_for() const;

    /// The inactive slot: what it is to become. Null: nothing is loaded.
    [[nodiscard]] std::shared_ptr<const Export> loaded() const;
    /// Gives back what was there, as replace() does.
    std::shared_ptr<const Export> load(std::shared_ptr<const Export> next);

    /// While all are quiet, or if only what no request depends on has changed. Gives back what it
    /// was before: letting go of the last reference to that may close devices, and wait.
    std::shared_ptr<const Export> replace(std::shared_ptr<const Export> by);

private:
    /// A question to all guests. Those who leave have answered.
    struct Round {
        std::uint64_t number = 0;
        std::set<const Guest*> waiting;
        std::function<void()> done;
    };

    struct Arrival {
        std::shared_ptr<const Export> now;
        bool held = false;
    };

    Arrival begin(Guest& guest);
    void end(Guest& guest);
    void leave();
    template <typename Ask>
    void ask_all(std::function<void()> done, bool held, Ask ask);
    void answered(std::uint64_t round, const Guest& guest);
    std::function<void()> take_answer(const Guest& guest);

    mutable std::mutex mutex_;
    std::shared_ptr<const Export> now_;
    std::shared_ptr<const Export> loaded_;
    std::set<Guest*> guests_;
    unsigned seats_ = 0;
    std::vector<std::function<void()>> when_empty_;
    bool draining_ = false;
    std::atomic<bool> tracing_{false};
    bool held_ = false;
    Round round_;
};

class LiveExport::Seat {
public:
    Seat(std::shared_ptr<LiveExport> at, const Terms& offered)
        : at_(std::move(at)), offered_(offered) {}
    ~Seat();
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;

    struct Start {
        std::shared_ptr<const Export> now; ///< null: it is not what the client was told any more
        bool held = false;                 ///< begin by waiting for go_on()
    };

    /// The client may do I/O from now on. `guest` is asked to pause until end().
    Start begin(Guest& guest);
    void end();

    [[nodiscard]] LiveExport& at() const { return *at_; }

private:
    std::shared_ptr<LiveExport> at_;
    friend class LiveExport;
    Terms offered_;
    bool taken_ = false; ///< it is counted
    Guest* guest_ = nullptr;
};

} // namespace interposed::server
