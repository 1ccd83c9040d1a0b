#include "devices/ownership.hpp"

#include "devices/file_descriptor.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace interposed::devices {

bool give_file(int folder, const std::string& name, uid_t uid, gid_t gid) {
    const FileDescriptor file(::openat(folder, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat found {};
    if (!file || ::fstat(file.get(), &found) != 0 || !S_ISREG(found.st_mode) || found.st_nlink != 1)
        return true;
    return ::fchownat(file.get(), "", uid, gid, AT_EMPTY_PATH) == 0;
}

} // namespace interposed::devices
