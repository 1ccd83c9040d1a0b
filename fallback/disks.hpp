#pragma once

#include "devices/file_descriptor.hpp"
#include "mapping/table.hpp"
#include "volume/table.hpp"

#include <cstddef>
#include <vector>

namespace interposed::fallback {

/// The disks of a volume, as one. Every call waits for them, and gives 0 or an errno; extents fit
/// into size().
class Disks {
public:
    /// Opens those of a table of linear targets, shared and without the page cache. Throws
    /// std::runtime_error, naming the disk.
    static Disks of(const volume::Table& table);

    Disks(std::vector<devices::FileDescriptor> files, mapping::Table table);

    [[nodiscard]] std::uint64_t size() const { return table_.size(); }

    int read(mapping::Extent extent, std::byte* into);
    int write(mapping::Extent extent, const std::byte* from, bool fua);
    /// One that has failed keeps failing.
    int flush();
    int trim(mapping::Extent extent);
    struct ZeroHow {
        bool no_hole = false;
        bool fast = false; ///< EOPNOTSUPP where it would be done by writing
    };
    int write_zeroes(mapping::Extent extent, ZeroHow how);

private:
    struct File {
        devices::FileDescriptor fd;
        bool block_device = false;
    };
    template <typename Each>
    int in_each(mapping::Extent extent, Each each);

    std::vector<File> files_;
    mapping::Table table_;
    int failed_flush_ = 0;
};

} // namespace interposed::fallback
