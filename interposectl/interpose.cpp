#include "interposectl/interpose.hpp"

#include "interposectl/guarding.hpp"
#include "interposectl/interpose_plan.hpp"
#include "interposectl/interposition.hpp"
#include "interposectl/server_side.hpp"
#include "interposectl/terminal.hpp"
#include "interposectl/text.hpp"
#include "interposectl/undo.hpp"
#include "volume/bounded.hpp"
#include "volume/exchange.hpp"

namespace interposed::ctl {
namespace {

using namespace std::chrono_literals;
using State = Interposition::State;

constexpr std::uint64_t bytes_per_sector = 512;

/// The way in, step by step. Until the swap each step is taken back if a later one fails.
class Entry {
public:
    Entry(Client& client, InterposePlan plan) : server_(client), plan_(std::move(plan)) {}

    Json run() {
        try {
            make_export();
            attach();
            mark(State::entering);
            watch_over();
            swap();
        } catch (const std::exception& why) {
            throw_undone(why, undo_);
        }
        undo_.forget();
        return settle();
    }

    /// What there is to say of the device and the server, now that they are together.
    [[nodiscard]] const std::vector<volume::Finding>& notes() const { return notes_; }

private:
    void make_export() {
        (void)server_.drop_leftovers(description_of(plan_.volume));
        server_.create(export_of(plan_));
        undo_.add("removed the export " + plan_.export_name,
                  [this] { server_.remove(plan_.export_name); });
        one_.export_name = plan_.export_name;
    }

    void attach() {
        undo_.add("detached its device", [this] { server_.detach(plan_.export_name); });
        const Json made = server_.attach(plan_.export_name, attach_of(plan_));
        one_.device = Fields(made, "result").text("device");
        one_.identifier = Fields(made, "result").text("identifier");
        const volume::BlockDevices devices;
        const auto number = devices.number_of(one_.device);
        if (!number)
            throw LocalFailure(one_.device + ": the server has attached it, but there is none");
        const std::uint64_t wanted = volume::size_of(plan_.before);
        if (devices.sectors_of(*number) != wanted)
            throw LocalFailure(one_.device + ": want the volume's size, " + std::to_string(wanted) +
                               " sectors, found " + std::to_string(devices.sectors_of(*number)));
        one_.after = volume::whole_of(*number, wanted);
        compare_queues(devices.queue_of(*number));
        if (const std::string why = volume::try_reading(one_.device, 10s); !why.empty())
            throw LocalFailure(one_.device + ": want it to be readable, found: " + why);
    }

    void compare_queues(const volume::Queue& queue) {
        notes_ = volume::compare(plan_.queue, queue, one_.device);
        refuse_for(notes_, plan_.force);
        for (volume::Finding& each : volume::check(volume::memory_of(plan_.server)))
            notes_.push_back(std::move(each));
    }

    void mark(State state) {
        one_.volume = plan_.volume;
        one_.uuid = plan_.uuid;
        one_.before = plan_.before;
        one_.since = fallback::now_text();
        one_.state = state;
        one_.fail_open = plan_.fail_open.has_value();
        undo_.add("forgot the mark", [this] { server_.forget_mark(plan_.export_name); });
        server_.mark(one_);
    }

    /// Before the swap: from that on the volume has a guard at every moment.
    void watch_over() {
        end_guard(guards_, one_.identifier); // of an interposition that has ended
        if (const auto left = guards_.find_volume(plan_.volume, plan_.uuid))
            end_guard(guards_, left->identifier);
        if (!plan_.fail_open)
            return;
        undo_.add("ended its guard", [this] { end_guard(guards_, one_.identifier); });
        start_guard(guards_, guarded_of(one_, plan_.number, *plan_.fail_open));
    }

    void swap() {
        undo_.add("put the table from before back", [this] {
            const auto now = volume::look_at(plan_.volume);
            if (!now || now->live != plan_.before)
                (void)volume::exchange(plan_.volume, one_.after, plan_.before, plan_.mounts,
                                       plan_.limit);
        });
        pause_ =
            volume::exchange(plan_.volume, plan_.before, one_.after, plan_.mounts, plan_.limit);
        if (plan_.queue.write_back && !volume::BlockDevices().queue_of(plan_.number).write_back)
            throw LocalFailure("volume " + printable(plan_.volume) +
                               ": want its cache to stay write back, found write through");
    }

    /// From here on the volume is interposed, and stays so.
    Json settle() {
        std::string unfinished;
        try {
            fence_ = server_.adopt(plan_.export_name, plan_.neighbours ? 0s : 3s);
            one_.state = State::in;
            server_.mark(one_);
        } catch (const std::exception& why) {
            unfinished = why.what();
        }
        if (!unfinished.empty())
            throw LocalFailure("volume " + printable(plan_.volume) +
                               ": it is interposed, but the server failed afterwards: " +
                               unfinished + "\nthe same command again finishes it");
        return {{"volume", plan_.volume},
                {"export", plan_.export_name},
                {"device", one_.device},
                {"pause_s", std::chrono::duration<double>(pause_).count()},
                {"fence", fence_.empty() ? "claim" : "lease"},
                {"fence_reason", fence_},
                {"state", word_of(one_.state)},
                {"fail_open_after_s", fail_open_json(plan_.fail_open)},
                {"findings", findings_json(plan_.findings)},
                {"findings_attached", findings_json(notes_)}};
    }

    ServerSide server_;
    InterposePlan plan_;
    fallback::GuardFiles guards_;
    Interposition one_;
    std::vector<volume::Finding> notes_;
    std::chrono::microseconds pause_{0};
    std::string fence_; ///< why it is not the claim; empty: it is
    Undo undo_;
};

volume::Facts facts_about(const volume::Mapped& found, Client& client, const Arguments& arguments) {
    const Json version = client.call("version", Json::object());
    const Fields fields(version, "result");
    volume::Said said = {{volume::Use::lease_folder, "/run/interposed"},
                         {volume::Use::socket, socket_path(arguments)}};
    const std::string configuration = fields.text("configuration");
    if (configuration.starts_with('/'))
        said.push_back({volume::Use::configuration, configuration});
    const auto state = fields.text_or_null("state_dir");
    if (state)
        said.push_back({volume::Use::state_folder, *state});
    pid_t server = client.peer_process();
    if (server <= 1) // the socket is systemd's
        server = static_cast<pid_t>(fields.number("pid"));
    volume::Facts facts = volume::look_into(found, server, said);
    facts.server_keeps_state = state.has_value();
    facts.is_guarded = arguments.has("fail-open");
    return facts;
}

std::string fail_open_text(const Fields& result) {
    const auto seconds = result.number_or_null("fail_open_after_s");
    return seconds ? "; a guard leads it back to its disks if there is no server for " +
                         std::to_string(*seconds) + " s"
                   : "";
}

std::string entered_text(const Json& result) {
    const Fields fields(result, "result");
    const std::string reason = fields.text("fence_reason");
    return "volume " + printable(fields.text("volume")) + ": interposed, as export " +
           export_name(fields.text("export")) + " on " + printable(fields.text("device")) +
           "; I/O was held for " + duration_text(fields.real("pause_s")) + "; the fence is the " +
           (reason.empty() ? "claim on its disks" : "lease: " + harmless(reason)) +
           fail_open_text(fields) + "\n";
}

/// It may have been interposed without a guard, or have lost the one it had.
void give_guard(ServerSide& server, const volume::Mapped& found, Interposition& one,
                const GuardWish& wish) {
    const fallback::GuardFiles guards;
    one.fail_open = true;
    server.mark(one);
    const auto now = guards.find(one.identifier);
    const bool busy = now && now->state == fallback::Guarded::State::standing_in &&
                      guards.is_guarded(one.identifier);
    if (!busy)
        start_guard(guards, guarded_of(one, found.number, wish));
}

/// It was begun before: what is left to do is done, or undone.
bool finish(ServerSide& server, const volume::Mapped& found, Interposition one,
            const Arguments& arguments) {
    const std::string subject = "volume " + printable(found.name) + ": ";
    if (found.live == one.before) {
        if (found.inactive_table && volume::inactive_table(found.name) == one.after)
            volume::clear(found.name);
        end_guard(fallback::GuardFiles(), one.identifier);
        server.drop(one.export_name);
        return false; // it can begin anew
    }
    if (found.live != one.after)
        throw LocalFailure(subject + "it was interposed, and its table was changed by somebody "
                                     "else; `interposectl interposed` shows it, `interposectl "
                                     "release` puts it in order");
    const bool complete = one.state == State::in && one.claimed;
    std::string fence;
    if (!complete) {
        fence = server.adopt(one.export_name, 3s);
        one.state = State::in;
        server.mark(one);
    }
    const auto wish = guard_wish(arguments);
    if (wish)
        give_guard(server, found, one, *wish);
    const Json result = {{"volume", found.name},
                         {"export", one.export_name},
                         {"device", one.device},
                         {"pause_s", 0.0},
                         {"fence", fence.empty() ? "claim" : "lease"},
                         {"fence_reason", fence},
                         {"state", word_of(one.state)},
                         {"fail_open_after_s", fail_open_json(wish)},
                         {"findings", Json::array()}};
    print(arguments.json ? json_text(result, is_terminal()) + "\n"
                         : subject + "it is interposed already, as export " +
                               export_name(one.export_name) + " on " + printable(one.device) +
                               fail_open_text(Fields(result, "result")) + "\n");
    return true;
}

} // namespace

Exit interpose(const Arguments& arguments) {
    (void)guard_wish(arguments); // what is wrong with it is said first
    Client client(socket_path(arguments));
    const volume::Mapped found = volume::find_volume(arguments.operands.front());
    const bool dry = arguments.has("dry-run");
    if (!dry) {
        ServerSide server(client);
        if (const auto one = find_interposition(interpositions(client), found.name, found.uuid);
            one && finish(server, found, *one, arguments))
            return Exit::done;
    }
    // What has just been finished may have changed it.
    const auto now = volume::look_at(found.name);
    const InterposePlan plan =
        plan_for(arguments, facts_about(now ? *now : found, client, arguments));
    if (dry) {
        print(arguments.json ? json_text(plan_json(plan), is_terminal()) + "\n" : plan_text(plan));
        return Exit::done;
    }
    refuse_for(plan.findings, plan.force);
    if (!arguments.json)
        print(findings_text(plan.findings));
    do_not_interrupt();
    Entry entry(client, plan);
    const Json result = entry.run();
    print(arguments.json ? json_text(result, is_terminal()) + "\n"
                         : findings_text(entry.notes()) + entered_text(result));
    return Exit::done;
}

} // namespace interposed::ctl
