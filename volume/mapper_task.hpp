#pragma once

#include "volume/device_mapper.hpp"

#include <memory>
#include <string>

struct dm_task;

namespace interposed::volume {

/// One call of the kernel's device-mapper. libdevmapper's own messages, which it would print, go
/// into the error.
class MapperTask {
public:
    /// `type` is DM_DEVICE_...; about one device, or all.
    explicit MapperTask(int type);
    MapperTask(int type, const std::string& name);
    MapperTask(int type, DeviceNumber number);

    [[nodiscard]] dm_task* get() const { return task_.get(); }
    /// Throws MapperError: "volume \"x\": cannot WHAT: ...".
    void run(const char* what);
    /// For the library's functions that return 0 where they fail.
    void check(int done, const char* what) const;

private:
    [[noreturn]] void refuse(const char* what, int error) const;

    struct Destroy {
        void operator()(dm_task* task) const;
    };
    std::string subject_;
    std::unique_ptr<dm_task, Destroy> task_;
};

} // namespace interposed::volume
