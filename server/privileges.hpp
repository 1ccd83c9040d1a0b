#pragma once

#include "config/config.hpp"

#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

/// Who this process is, and what more than others it may do (capabilities(7)).
/// docs/decisions/0021-least-privilege.md says why it is so.
namespace interposed::server::privileges {

/// Who it is to become, as the system knows the names.
struct Account {
    std::string user; ///< as written
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups; ///< besides that one
};

/// Throws std::runtime_error that names what there is not.
Account look_up(const config::RunAs& wish);

/// Neither this process nor a thread that it makes from now on can come to more than it has, by
/// executing a program or otherwise. Before there are threads.
void seal();

/// What is to be kept.
struct Kept {
    bool attach = false; ///< making devices of this host's kernel
};

/// Every thread becomes the account, with no capability but those for `kept`, which only the
/// calling thread has, and those that it makes from now on. A process that root has not started
/// must be the account already, and keeps the capabilities it was given. Throws std::runtime_error,
/// and then the process is no good any more.
void become(const Account& account, Kept kept);

/// What whoever is not root was given for the start alone: memory and limits. Before there are
/// threads.
void give_up_starting_rights();

/// The file, if it is a socket, belongs to the account as far as it is not said whose it is.
void give_socket(const config::UnixAddress& address, const Account& account);

} // namespace interposed::server::privileges
