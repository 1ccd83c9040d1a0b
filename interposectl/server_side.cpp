#include "interposectl/server_side.hpp"

#include "interposectl/errors.hpp"

#include <thread>

namespace interposed::ctl {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto between_attempts = 100ms;
constexpr auto detach_limit = 5s;

/// Does it again for so long as it is refused with one of these codes. Throws what the last
/// attempt did.
template <typename Step>
void insist(Step step, std::int64_t code, std::chrono::seconds limit) {
    for (const auto end = Clock::now() + limit;;) {
        try {
            step();
            return;
        } catch (const Refused& why) {
            if (why.code() != code || Clock::now() >= end)
                throw;
        }
        std::this_thread::sleep_for(between_attempts);
    }
}

} // namespace

void ServerSide::create(const Json& definition) {
    (void)client_.call(
        "export.create",
        {{"definition", definition.dump()}, {"file", "interposectl interpose"}, {"folder", "/"}});
}

bool ServerSide::drop_leftovers(const std::string& description) {
    const Json all = client_.call("export.list", Json::object());
    std::vector<std::string> left;
    for_each_object(Fields(all, "result").list("exports"), "exports", [&](const Fields& each) {
        if (each.has("description") && each.text("description") == description)
            left.push_back(each.text("name"));
    });
    for (const std::string& name : left) {
        detach(name);
        remove(name);
    }
    return !left.empty();
}

void ServerSide::remove(const std::string& export_name) {
    (void)client_.call("export.remove", {{"name", export_name}, {"clients", "disconnect"}});
}

Json ServerSide::attach(const std::string& export_name, const Json& attach) {
    return client_.call("export.attach", {{"name", export_name}, {"attach", attach}});
}

void ServerSide::detach(const std::string& export_name) {
    try {
        insist(
            [&] {
                (void)client_.call("export.detach", {{"name", export_name}});
            },
            code_refused, detach_limit);
    } catch (const Refused& why) {
        if (why.code() != code_not_found)
            throw;
    }
}

std::string ServerSide::adopt(const std::string& export_name, std::chrono::seconds limit) {
    try {
        insist(
            [&] {
                (void)client_.call("export.adopt", {{"name", export_name}});
            },
            code_device, limit);
        return "";
    } catch (const Refused& why) {
        if (why.code() != code_device)
            throw;
        return why.what();
    }
}

void ServerSide::give_back(const std::string& export_name) {
    (void)client_.call("export.release", {{"name", export_name}});
}

void ServerSide::mark(const Interposition& one) {
    (void)client_.call("export.mark", {{"name", one.export_name}, {"interposed", mark_of(one)}});
}

void ServerSide::forget_mark(const std::string& export_name) {
    (void)client_.call("export.mark", {{"name", export_name}, {"interposed", nullptr}});
}

void ServerSide::drop(const std::string& export_name) {
    forget_mark(export_name);
    detach(export_name);
    remove(export_name);
}

void throw_undone(const std::exception& why, Undo& undo) {
    const std::string message = why.what() + undo.run();
    const auto* const failure = dynamic_cast<const Failure*>(&why);
    if (failure == nullptr)
        throw LocalFailure(message);
    Json error = failure->error();
    error["message"] = message;
    throw Failure(failure->status(), error);
}

} // namespace interposed::ctl
