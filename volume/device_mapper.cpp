#include "volume/device_mapper.hpp"

#include "config/quotes.hpp"
#include "volume/deadline.hpp"
#include "volume/mapper_task.hpp"

#include <cerrno>
#include <libdevmapper.h>
#include <sys/sysmacros.h>

namespace interposed::volume {
namespace {

using config::in_quotes;

/// Of what a TABLE or STATUS has answered.
Table targets_of(dm_task* task) {
    Table table;
    void* next = nullptr;
    do {
        std::uint64_t start = 0;
        std::uint64_t length = 0;
        char* type = nullptr;
        char* arguments = nullptr;
        next = dm_get_next_target(task, next, &start, &length, &type, &arguments);
        if (type != nullptr)
            table.push_back({start, length, type, arguments == nullptr ? "" : arguments});
    } while (next != nullptr);
    return table;
}

std::string text_or_empty(const char* text) {
    return text == nullptr ? "" : text;
}

std::optional<Mapped> described(MapperTask& task) {
    try {
        task.run("look at it");
    } catch (const MapperError& why) {
        if (why.error() == ENXIO)
            return std::nullopt;
        throw;
    }
    dm_info info{};
    if (dm_task_get_info(task.get(), &info) == 0 || info.exists == 0)
        return std::nullopt;
    return Mapped{.name = text_or_empty(dm_task_get_name(task.get())),
                  .uuid = text_or_empty(dm_task_get_uuid(task.get())),
                  .number = {.major = info.major, .minor = info.minor},
                  .suspended = info.suspended != 0,
                  .read_only = info.read_only != 0,
                  .inactive_table = info.inactive_table != 0,
                  .open_count = info.open_count,
                  .live = targets_of(task.get())};
}

void add_targets(MapperTask& task, const Table& table) {
    for (const Target& target : table)
        task.check(dm_task_add_target(task.get(), target.start, target.length, target.type.c_str(),
                                      target.arguments.c_str()),
                   "add a line to its table");
}

} // namespace

std::optional<Mapped> look_at(const std::string& name) {
    MapperTask task(DM_DEVICE_TABLE, name);
    return described(task);
}

std::optional<Mapped> look_at(DeviceNumber number) {
    MapperTask task(DM_DEVICE_TABLE, number);
    return described(task);
}

Table inactive_table(const std::string& name) {
    MapperTask task(DM_DEVICE_TABLE, name);
    task.check(dm_task_query_inactive_table(task.get()), "ask for its inactive table");
    task.run("look at its inactive table");
    return targets_of(task.get());
}

void load(const std::string& name, const Table& table) {
    MapperTask task(DM_DEVICE_RELOAD, name);
    add_targets(task, table);
    task.run("load a table");
}

void clear(const std::string& name) {
    MapperTask task(DM_DEVICE_CLEAR, name);
    task.run("drop its inactive table");
}

void unsuspend(const std::string& name) {
    const auto found = look_at(name);
    if (!found)
        return;
    if (found->inactive_table)
        clear(name);
    if (found->suspended)
        MapperTask(DM_DEVICE_RESUME, name).run("resume it");
}

std::chrono::microseconds swap_tables(const std::string& name, std::chrono::seconds limit) {
    using Clock = std::chrono::steady_clock;
    MapperTask task(DM_DEVICE_RESUME, name);
    const auto began = Clock::now();
    try {
        const Deadline deadline(limit);
        task.run("swap its tables");
    } catch (const MapperError& why) {
        const bool late = Clock::now() - began >= limit;
        unsuspend(name);
        if (late)
            throw MapperError("volume " + in_quotes(name) +
                                  ": want it to finish what is in flight within " +
                                  std::to_string(limit.count()) +
                                  " s, found it still busy; its table is as before",
                              ETIMEDOUT);
        throw;
    }
    return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began);
}

} // namespace interposed::volume
