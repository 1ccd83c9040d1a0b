#include "devices/file_locks.hpp"

#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <utility>
#include <vector>

namespace interposed::devices {

namespace {

constexpr off_t used_base = 100;
constexpr off_t refused_base = 200;
constexpr int right_count = 4;

void append_bytes(std::vector<off_t>& bytes, off_t base, std::uint8_t rights) {
    for (int right = 0; right < right_count; ++right)
        if ((rights >> right & 1) != 0)
            bytes.push_back(base + right);
}

/// The bytes that carry our locks.
std::vector<off_t> bytes_to_lock(LockRights rights) {
    std::vector<off_t> bytes;
    append_bytes(bytes, used_base, rights.used);
    append_bytes(bytes, refused_base, rights.refused);
    return bytes;
}

/// The bytes that must carry nobody else's.
std::vector<off_t> bytes_to_test(LockRights rights) {
    std::vector<off_t> bytes;
    append_bytes(bytes, refused_base, rights.used);
    append_bytes(bytes, used_base, rights.refused);
    return bytes;
}

struct flock byte_lock(short type, off_t byte) {
    struct flock lock = {}; // l_pid must be 0 for locks of an open file description
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = byte;
    lock.l_len = 1;
    return lock;
}

/// Who would stop a write lock on the byte. Asking takes nothing and needs no write access.
std::optional<LockConflict> find_conflict(int fd, off_t byte) {
    struct flock lock = byte_lock(F_WRLCK, byte);
    if (::fcntl(fd, F_OFD_GETLK, &lock) != 0)
        throw std::system_error(errno, std::generic_category(), "F_OFD_GETLK");
    if (lock.l_type == F_UNLCK)
        return std::nullopt;
    return LockConflict{.byte = byte, .pid = lock.l_pid > 0 ? lock.l_pid : 0};
}

std::optional<LockConflict> lock_byte(int fd, off_t byte) {
    struct flock lock = byte_lock(F_RDLCK, byte);
    if (::fcntl(fd, F_OFD_SETLK, &lock) == 0)
        return std::nullopt;
    const int error = errno;
    if (error != EAGAIN && error != EACCES)
        throw std::system_error(error, std::generic_category(), "F_OFD_SETLK");
    return find_conflict(fd, byte).value_or(LockConflict{.byte = byte});
}

void unlock_byte(int fd, off_t byte) noexcept {
    struct flock lock = byte_lock(F_UNLCK, byte);
    ::fcntl(fd, F_OFD_SETLK, &lock);
}

/// Gives back what was taken, unless it is told to keep it.
class Undo {
public:
    explicit Undo(int fd) : fd_(fd) {}
    Undo(const Undo&) = delete;
    Undo& operator=(const Undo&) = delete;
    ~Undo() {
        for (const off_t byte : bytes_)
            unlock_byte(fd_, byte);
    }
    void add(off_t byte) { bytes_.push_back(byte); }
    void keep_all() { bytes_.clear(); }

private:
    int fd_;
    std::vector<off_t> bytes_;
};

} // namespace

LockRights lock_rights(ClaimMode mode, Access access) {
    LockRights rights{.used = LockRights::read, .refused = 0};
    if (access == Access::read_write) {
        rights.used |= LockRights::write;
        rights.refused |= LockRights::resize; // our tables rely on the size
    }
    if (mode != ClaimMode::shared)
        rights.refused |= LockRights::write | LockRights::resize;
    return rights;
}

std::string lock_meaning(off_t byte) {
    static constexpr const char* uses[] = {"it reads", "it writes", "it rewrites", "it resizes"};
    static constexpr const char* refuses[] = {"nobody else may read", "nobody else may write",
                                              "nobody else may rewrite", "nobody else may resize"};
    if (byte >= used_base && byte < used_base + right_count)
        return uses[byte - used_base];
    if (byte >= refused_base && byte < refused_base + right_count)
        return refuses[byte - refused_base];
    return "unknown";
}

LockRights beyond(LockRights wanted, LockRights held) {
    return {.used = static_cast<std::uint8_t>(wanted.used & ~held.used),
            .refused = static_cast<std::uint8_t>(wanted.refused & ~held.refused)};
}

std::optional<LockConflict> take_locks(int fd, LockRights wanted, LockRights held) {
    Undo undo(fd);
    for (const off_t byte : bytes_to_lock(beyond(wanted, held))) {
        undo.add(byte);
        if (const auto conflict = lock_byte(fd, byte))
            return conflict;
    }
    // Tested only now that ours are visible: of two who come at once at least one sees the other.
    for (const off_t byte : bytes_to_test(wanted))
        if (const auto conflict = find_conflict(fd, byte))
            return conflict;
    undo.keep_all();
    return std::nullopt;
}

std::optional<LockConflict> copy_locks(int fd, LockRights wanted) {
    Undo undo(fd);
    for (const off_t byte : bytes_to_lock(wanted)) {
        undo.add(byte);
        if (const auto conflict = lock_byte(fd, byte))
            return conflict;
    }
    undo.keep_all();
    return std::nullopt;
}

void drop_locks(int fd, LockRights rights) noexcept {
    for (int right = 0; right < right_count; ++right) {
        for (const auto& [base, set] :
             {std::pair(used_base, rights.used), std::pair(refused_base, rights.refused)}) {
            if ((set >> right & 1) != 0)
                unlock_byte(fd, base + right);
        }
    }
}

} // namespace interposed::devices
