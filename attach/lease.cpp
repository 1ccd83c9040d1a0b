#include "attach/lease.hpp"

namespace interposed::attach {

namespace {

/// Gone with the kernel that the attachments are gone with, and on no disk.
constexpr const char* folder = "/run/interposed/attachments";

} // namespace

std::string Lease::path_of(const std::string& identifier) {
    return std::string(folder) + "/" + identifier + ".lease";
}

std::optional<Lease> Lease::take(const std::string& identifier) {
    auto file = LockFile::take(path_of(identifier));
    if (!file)
        return std::nullopt;
    return Lease(std::move(*file));
}

} // namespace interposed::attach
