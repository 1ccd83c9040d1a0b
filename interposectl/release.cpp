#include "interposectl/guarding.hpp"
#include "interposectl/interpose.hpp"
#include "interposectl/interpose_plan.hpp"
#include "interposectl/interposition.hpp"
#include "interposectl/server_side.hpp"
#include "interposectl/terminal.hpp"
#include "interposectl/text.hpp"
#include "volume/exchange.hpp"
#include "volume/facts.hpp"

namespace interposed::ctl {
namespace {

using namespace std::chrono_literals;
using State = Interposition::State;

/// The way out. Until the swap each step is taken back if a later one fails.
class Way {
public:
    Way(Client& client, volume::Mapped found, Interposition one, std::chrono::seconds limit)
        : server_(client), found_(std::move(found)), one_(std::move(one)), limit_(limit) {}

    Json run() {
        try {
            leave();
        } catch (const std::exception& why) {
            throw_undone(why, undo_);
        }
        undo_.forget();
        return clear_up();
    }

    /// The volume is out of it; what is left of us goes too.
    Json clear_up() {
        try {
            end_guard(fallback::GuardFiles(), one_.identifier);
            server_.drop(one_.export_name);
        } catch (const std::exception& why) {
            throw LocalFailure("volume " + printable(found_.name) +
                               ": the server is out of its path, but the export " +
                               export_name(one_.export_name) + " is left: " + why.what() +
                               "\nthe same command again finishes it");
        }
        return {{"volume", found_.name},
                {"export", one_.export_name},
                {"pause_s", std::chrono::duration<double>(pause_).count()},
                {"table", volume::lines_of(one_.before)}};
    }

private:
    void leave() {
        mark(State::leaving);
        undo_.add("marked as interposed again", [this] { mark(State::in); });
        undo_.add("claimed the disks again", [this] { (void)server_.adopt(one_.export_name, 3s); });
        server_.give_back(one_.export_name);
        pause_ = volume::exchange(found_.name, one_.after, one_.before,
                                  volume::mount_points_on(found_.number), limit_);
    }

    void mark(State state) {
        one_.state = state;
        server_.mark(one_);
    }

    ServerSide server_;
    volume::Mapped found_;
    Interposition one_;
    std::chrono::seconds limit_;
    std::chrono::microseconds pause_{0};
    Undo undo_;
};

bool uses(const volume::Mapped& found, const std::string& device) {
    const auto number = volume::BlockDevices().number_of(device);
    for (const volume::Area& area : volume::linear_areas(found.live))
        if (number && area.device == *number)
            return true;
    return false;
}

[[noreturn]] void refuse(const volume::Mapped& found, const std::string& why) {
    throw Refused({{"code", code_refused},
                   {"message", "volume " + printable(found.name) + ": " + why},
                   {"data", {{"kind", "refused"}}}});
}

/// Somebody else has loaded another table. Throws Refused, unless what is left can go.
void check_changed(const volume::Mapped& found, const Interposition& one, bool force) {
    std::string message =
        "want the table that was left there, " + volume::line_of(one.after.front()) + ", found";
    for (const std::string& line : volume::lines_of(found.live))
        message += "\n  " + line;
    if (uses(found, one.device))
        message += "\nit still uses " + one.device + ": load what it is to be, with dmsetup";
    else if (!force)
        message += "\nthe server is out of its path already; --force gives up the rest";
    else
        return;
    refuse(found, message);
}

void check_quiet(const volume::Mapped& found) {
    const char* const what = found.suspended        ? "it is suspended"
                             : found.inactive_table ? "it has an inactive table"
                                                    : nullptr;
    if (what != nullptr)
        refuse(found, std::string(what) + "; whoever did that is not done yet");
}

std::string released_text(const Json& result) {
    const Fields fields(result, "result");
    return "volume " + printable(fields.text("volume")) + ": released; I/O was held for " +
           duration_text(fields.real("pause_s")) + "\n";
}

void print_released(const Json& result, const Arguments& arguments) {
    print(arguments.json ? json_text(result, is_terminal()) + "\n" : released_text(result));
}

/// What is left in the server and of a guard, of a volume that no server has in its record. False:
/// nothing.
bool drop_leftovers(Client* client, const volume::Mapped& found) {
    const fallback::GuardFiles guards;
    const auto guarded = guards.find_volume(found.name, found.uuid);
    if (guarded && uses(found, guarded->device))
        refuse(found, "want a server that knows of it, found none; its guard leads it back to its "
                      "disks: `interposectl interposed` tells how far it is");
    const bool any =
        client != nullptr && ServerSide(*client).drop_leftovers(description_of(found.name));
    if (guarded)
        end_guard(guards, guarded->identifier);
    return any || guarded;
}

/// Null, if it cannot be reached and nothing is to be asked of it: the volume has fallen back.
std::optional<Interposition> ask_server(std::optional<Client>& client, const Arguments& arguments,
                                        const volume::Mapped& found) {
    try {
        client.emplace(socket_path(arguments));
        return find_interposition(interpositions(*client), found.name, found.uuid);
    } catch (const Unreachable&) {
        client.reset();
        if (!fallback::GuardFiles().find_volume(found.name, found.uuid))
            throw;
    }
    return std::nullopt;
}

} // namespace

Exit release(const Arguments& arguments) {
    const std::chrono::seconds limit = swap_limit(arguments);
    const volume::Mapped found = volume::find_volume(arguments.operands.front());
    std::optional<Client> client;
    const auto one = ask_server(client, arguments, found);
    if (!one && drop_leftovers(client ? &*client : nullptr, found)) {
        print_released({{"volume", found.name}, {"pause_s", 0.0}}, arguments);
        return Exit::done;
    }
    if (!one)
        throw Refused({{"code", code_not_found},
                       {"message", "volume " + printable(found.name) +
                                       ": the server knows nothing of it; `interposectl "
                                       "interposed` lists those it does"},
                       {"data", {{"kind", "not_found"}}}});
    check_quiet(found);
    do_not_interrupt();
    Way way(*client, found, *one, limit);
    const bool ours = found.live == one->after;
    if (!ours && found.live != one->before)
        check_changed(found, *one, arguments.has("force"));
    print_released(ours ? way.run() : way.clear_up(), arguments);
    return Exit::done;
}

} // namespace interposed::ctl
