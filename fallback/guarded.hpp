#pragma once

#include "volume/table.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace interposed::fallback {

/// A volume that is to go back to its disks by itself when no server comes any more: all that its
/// guard has to know.
struct Guarded {
    enum class State : std::uint8_t {
        watching,
        standing_in, ///< the guard has the lease, and is on the way back
        fallen_back,
    };

    std::string identifier; ///< of the attachment, and of the guard
    std::string volume;
    std::string uuid;            ///< device-mapper's; may be empty
    volume::DeviceNumber number; ///< the volume's: names change
    volume::Table before;
    volume::Table after;
    std::string export_name;
    std::string device;                      ///< "/dev/nbd3"
    std::string control;                     ///< the server's socket
    std::uint32_t patience_s = 30;           ///< for so long a server is waited for
    std::uint32_t timeout_s = 5;             ///< of the attachment, as the kernel was told
    std::uint32_t dead_conn_timeout_s = 600; ///< likewise
    State state = State::watching;
    std::string since; ///< when that began, RFC 3339
};

const char* word_of(Guarded::State state);
/// "2026-11-24T18:00:00Z"
std::string now_text();

/// What guards are told, a file for each, where a reboot takes it away with the kernel's tables,
/// and no disk can keep anybody from reading it.
class GuardFiles {
public:
    explicit GuardFiles(std::string folder = "/run/interposed/guards")
        : folder_(std::move(folder)) {}

    /// Replaces it whole. Throws std::runtime_error, naming the file; so does find().
    void put(const Guarded& one) const;
    [[nodiscard]] std::optional<Guarded> find(const std::string& identifier) const;
    void remove(const std::string& identifier) const;
    /// Those that can be read.
    [[nodiscard]] std::vector<Guarded> all() const;
    /// Of this volume. Its uuid decides, where it has one; names change.
    [[nodiscard]] std::optional<Guarded> find_volume(const std::string& name,
                                                     const std::string& uuid) const;

    /// Whoever guards it has the lock on this file.
    [[nodiscard]] std::string lock_of(const std::string& identifier) const;
    [[nodiscard]] bool is_guarded(const std::string& identifier) const;
    /// Whoever sees to it that every volume has a guard has the lock on this one.
    [[nodiscard]] std::string lock_of_all() const { return folder_ + "/lock"; }
    [[nodiscard]] bool are_all_guarded() const;
    /// What a guard says that `interpose` has started.
    [[nodiscard]] std::string log_of(const std::string& identifier) const;
    [[nodiscard]] std::string said(const std::string& identifier) const;

private:
    [[nodiscard]] std::string path_of(const std::string& identifier) const;

    std::string folder_;
};

} // namespace interposed::fallback
