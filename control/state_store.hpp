#pragma once

#include "config/config.hpp"
#include "devices/file_descriptor.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace interposed::control {

/// How an export differs from what the configuration file says of it.
struct Record {
    enum class Origin : std::uint8_t {
        created, ///< the file has no export of this name
        changed, ///< it has another one
        same,    ///< it has this one; only a loaded table is recorded
        removed, ///< it has one that is not to be served
    };

    Origin origin = Origin::created;
    std::optional<config::Export> live;   ///< absent if it is removed, or the file's
    std::optional<config::Export> loaded; ///< with the table in the inactive slot
};

/// What was changed at run time, in a folder: a file for each export, replaced whole and synced
/// before put() returns, so that after a crash there is the one state or the other. One server at
/// a time has the folder (a lock that ends with the process). Not thread-safe.
class StateStore {
public:
    /// Makes the folder if it is missing, mode 0700. Throws std::runtime_error, naming the file:
    /// also for a record that cannot be understood, since serving without it could lose data.
    explicit StateStore(std::string folder);

    /// For a process that is to be somebody else: what there is belongs to that user from now on. A
    /// folder that was there before has to already. Throws std::runtime_error, naming the file.
    void give_to(uid_t uid, gid_t gid) const;

    [[nodiscard]] const std::string& folder() const { return folder_; }
    [[nodiscard]] const std::map<std::string, Record>& records() const { return records_; }

    /// Called right before what is recorded changes: false calls it off.
    using MayCommit = std::function<bool()>;

    /// A record that lies beside the one it is to replace.
    class Pending;

    /// Writes and syncs what is to be recorded, or that nothing is to be, and changes nothing yet.
    /// Throws std::runtime_error.
    std::shared_ptr<Pending> prepare(const std::string& name, std::optional<Record> record);
    /// Puts it in place. Throws std::runtime_error, and then what was recorded before still is;
    /// unless it was the very last step that failed, the sync of the folder: then a crash may show
    /// the one or the other.
    void commit(Pending& pending, const MayCommit& may_commit);

    /// A text of its own beside the records, replaced whole and synced. Throws std::runtime_error.
    void put_text(const std::string& file, const std::string& text) const;

    /// What the file says, with what is recorded: that wins.
    [[nodiscard]] config::Configuration apply_to(config::Configuration configuration) const;

private:
    void put_in_place(Pending& pending);
    void take_away(const std::string& name);
    void read_all();
    void read(const std::string& file);
    void sync_folder() const;
    [[nodiscard]] std::string path_of(const std::string& file) const {
        return folder_ + "/" + file;
    }

    std::string folder_;
    bool made_ = false; ///< the folder: it was not there before
    devices::FileDescriptor lock_;
    std::map<std::string, Record> records_;
    std::map<std::string, std::string> files_; ///< by export
    std::uint64_t next_file_ = 1;
};

/// Made by prepare(); what is not committed is removed with it.
class StateStore::Pending {
public:
    Pending(std::string name, std::optional<Record> record)
        : name_(std::move(name)), record_(std::move(record)) {}
    ~Pending();
    Pending(const Pending&) = delete;
    Pending& operator=(const Pending&) = delete;

private:
    friend class StateStore;
    std::string name_;
    std::optional<Record> record_; ///< absent: there is to be none
    std::string file_;
    std::string written_; ///< the path of what is not in place yet; empty: nothing
};

} // namespace interposed::control
