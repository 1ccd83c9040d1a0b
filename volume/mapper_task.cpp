#include "volume/mapper_task.hpp"

#include "config/quotes.hpp"

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <libdevmapper.h>
#include <system_error>
#include <unistd.h>

namespace interposed::volume {
namespace {

constexpr int error_level = 3; ///< syslog's, which the library uses

/// What the library said last; no memory is asked for while a volume may be suspended.
std::array<char, 512> last_message{};

__attribute__((format(printf, 5, 6))) void keep_message(int level, const char*, int, int,
                                                        const char* format, ...) {
    if ((level & 7) > error_level)
        return;
    va_list values;
    va_start(values, format);
    (void)std::vsnprintf(last_message.data(), last_message.size(), format, values);
    va_end(values);
}

void prepare_library() {
    static const bool done = [] {
        dm_log_with_errno_init(keep_message);
        // Opened once: whatever happens to /dev later, we can still talk to the kernel.
        dm_hold_control_dev(1);
        return true;
    }();
    (void)done;
}

} // namespace

void MapperTask::Destroy::operator()(dm_task* task) const {
    dm_task_destroy(task);
}

MapperTask::MapperTask(int type) : subject_("device-mapper") {
    prepare_library();
    last_message[0] = '\0';
    task_.reset(dm_task_create(type));
    if (task_ == nullptr)
        throw MapperError(::geteuid() == 0 ? "the kernel's device-mapper does not answer (" +
                                                 std::string(last_message.data()) +
                                                 "); `modprobe dm_mod` loads it"
                                           : "device-mapper: want root, found another user",
                          0);
}

MapperTask::MapperTask(int type, const std::string& name) : MapperTask(type) {
    subject_ = "volume " + config::in_quotes(name);
    check(dm_task_set_name(get(), name.c_str()), "name it");
}

MapperTask::MapperTask(int type, DeviceNumber number) : MapperTask(type) {
    subject_ = "device " + text_of(number);
    check(dm_task_set_major(get(), static_cast<int>(number.major)), "number it");
    check(dm_task_set_minor(get(), static_cast<int>(number.minor)), "number it");
}

void MapperTask::check(int done, const char* what) const {
    if (done == 0)
        refuse(what, 0);
}

void MapperTask::run(const char* what) {
    last_message[0] = '\0';
    if (dm_task_run(get()) == 0)
        refuse(what, dm_task_get_errno(get()));
}

void MapperTask::refuse(const char* what, int error) const {
    const std::string reason =
        error != 0 ? std::generic_category().message(error) : std::string(last_message.data());
    throw MapperError(subject_ + ": cannot " + what + (reason.empty() ? "" : ": " + reason), error);
}

} // namespace interposed::volume
