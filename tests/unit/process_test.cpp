#include "control/process.hpp"
#include "devices/file_descriptor.hpp"

#include <catch2/catch.hpp>
#include <fcntl.h>

namespace interposed::control {

TEST_CASE("a process knows its memory, descriptors, threads, time and start", "[control]") {
    const Process before = measure_process();
    const devices::FileDescriptor one_more(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const Process after = measure_process();

    CHECK(before.resident_memory > (std::uint64_t{1} << 20));
    CHECK(before.virtual_memory > before.resident_memory);
    CHECK(after.open_fds == before.open_fds + 1);
    CHECK(after.max_fds >= after.open_fds);
    CHECK(after.threads >= 1);
    CHECK(after.cpu >= before.cpu);
    CHECK(before.cpu.count() > 0);
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    CHECK(after.start_time <= now);
    CHECK(after.start_time > now - std::chrono::hours(1));
    CHECK(after.start_time == before.start_time);
}

} // namespace interposed::control
