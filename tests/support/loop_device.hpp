#pragma once

#include "devices/file_descriptor.hpp"
#include "tests/support/temporary_directory.hpp"

#include <catch2/catch.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <stdexcept>
#include <string>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <thread>
#include <vector>

namespace interposed::tests {

/// While it lives, no other test attaches a loop device. Without it two would be given the same
/// one: the slower one finds it busy, and has opened by then what is not its own, which keeps it
/// from being detached and makes it a holder.
class LoopControl {
public:
    LoopControl() : control_(::open("/dev/loop-control", O_RDWR | O_CLOEXEC)) {
        ::flock(control_.get(), LOCK_EX); // as tests/support/functions.sh does
    }

    /// One that is not attached.
    [[nodiscard]] std::string free_device() const {
        return "/dev/loop" + std::to_string(::ioctl(control_.get(), LOOP_CTL_GET_FREE));
    }

private:
    devices::FileDescriptor control_;
};

/// Whether this machine lets us have loop devices. If not, says so in the test's output: the test
/// should return at once.
inline bool loop_devices_permitted() {
    const int control = ::open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    if (control >= 0) {
        ::close(control);
        return true;
    }
    WARN("not tested: no loop devices here: " << std::strerror(errno));
    return false;
}

/// A block device on a file of zeroes (or on a file that is there already), detached with its
/// partitions by the destructor.
class LoopDevice {
public:
    struct Options {
        std::uint64_t size = 16 << 20;
        std::uint32_t block_size = 512;
        bool read_only = false;
        std::string file = {}; ///< empty: a new one
    };

    LoopDevice() : LoopDevice(Options{}) {}
    explicit LoopDevice(const Options& options)
        : backing_(options.file.empty() ? directory_.make_file("backing", options.size)
                                        : options.file) {
        const LoopControl control;
        for (int attempt = 0; attempt < 100; ++attempt) {
            if (attach(control.free_device(), options))
                return;
            std::this_thread::sleep_for(std::chrono::milliseconds(10)); // of no test of ours
        }
        throw std::runtime_error("no free loop device");
    }
    LoopDevice(const LoopDevice&) = delete;
    LoopDevice& operator=(const LoopDevice&) = delete;
    ~LoopDevice() {
        for (const int number : partitions_)
            change_partition(BLKPG_DEL_PARTITION, number, 0, 0);
        mark_read_only(false); // the mark would stay for the next user of this loop device
        const devices::FileDescriptor loop(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
        ::ioctl(loop.get(), LOOP_CLR_FD, 0);
    }

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] const std::string& backing_file() const { return backing_; }

    /// Makes a partition, without any partition table; its node.
    std::string add_partition(int number, std::uint64_t start, std::uint64_t length) {
        if (change_partition(BLKPG_ADD_PARTITION, number, start, length) != 0)
            throw std::runtime_error("no partition on " + path_ + ": " + std::strerror(errno));
        partitions_.push_back(number);
        return path_ + "p" + std::to_string(number);
    }

    /// As `blockdev --setro` does.
    void mark_read_only(bool read_only) const {
        const devices::FileDescriptor loop(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
        const int mark = read_only ? 1 : 0;
        ::ioctl(loop.get(), BLKROSET, &mark);
    }

private:
    /// False if somebody else was faster.
    bool attach(const std::string& path, const Options& options) {
        path_ = path;
        const int flags = (options.read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC;
        const devices::FileDescriptor loop(::open(path_.c_str(), flags));
        const devices::FileDescriptor backing(::open(backing_.c_str(), flags));
        loop_config config = {};
        config.fd = static_cast<__u32>(backing.get());
        config.block_size = options.block_size;
        config.info.lo_flags = options.read_only ? LO_FLAGS_READ_ONLY : 0;
        if (::ioctl(loop.get(), LOOP_CONFIGURE, &config) == 0) {
            // A test that was killed may have left partitions on it, and they survive detaching.
            for (int number = 1; number < most_partitions; ++number)
                change_partition(BLKPG_DEL_PARTITION, number, 0, 0);
            return true;
        }
        if (errno != EBUSY)
            throw std::runtime_error("cannot set up " + path_ + ": " + std::strerror(errno));
        return false;
    }

    int change_partition(int what, int number, std::uint64_t start, std::uint64_t length) const {
        blkpg_partition partition = {};
        partition.start = static_cast<long long>(start);
        partition.length = static_cast<long long>(length);
        partition.pno = number;
        blkpg_ioctl_arg change = {what, 0, sizeof partition, &partition};
        const devices::FileDescriptor loop(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
        return ::ioctl(loop.get(), BLKPG, &change);
    }

    static constexpr int most_partitions = 16;

    TemporaryDirectory directory_;
    std::string backing_;
    std::string path_;
    std::vector<int> partitions_;
};

} // namespace interposed::tests
