#pragma once

#include "tests/support/loop_device.hpp"

#include <catch2/catch.hpp>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <sys/mount.h>
#include <thread>

namespace interposed::tests {

/// Runs a command of the shell; whether it succeeded.
inline bool run(const std::string& command) {
    return std::system(("( " + command + " ) >/dev/null 2>&1").c_str()) == 0;
}

/// Whether all these programs are there. If not, says so: the test should return at once.
inline bool programs_present(const std::string& programs) {
    if (run("for p in " + programs + "; do command -v $p || exit 1; done"))
        return true;
    WARN("not tested: want " << programs);
    return false;
}

/// An ext4 filesystem made on a device and mounted in a directory of its own.
class Mounted {
public:
    explicit Mounted(const std::string& device) {
        if (!run("mkfs.ext4 -q -F " + device))
            throw std::runtime_error("mkfs.ext4 " + device);
        if (::mount(device.c_str(), directory_.path().c_str(), "ext4", 0, nullptr) != 0)
            throw std::runtime_error("mount " + device + ": " + std::strerror(errno));
    }
    Mounted(const Mounted&) = delete;
    Mounted& operator=(const Mounted&) = delete;
    ~Mounted() {
        // A file in it that was just closed by the kernel (a loop device's) may linger a little.
        for (int attempt = 0; attempt < 500; ++attempt) {
            if (::umount(directory_.path().c_str()) == 0 || errno != EBUSY)
                return;
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
    }

    [[nodiscard]] const TemporaryDirectory& directory() const { return directory_; }

private:
    TemporaryDirectory directory_;
};

} // namespace interposed::tests
