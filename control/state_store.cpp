#include "control/state_store.hpp"

#include "config/quotes.hpp"
#include "devices/ownership.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace interposed::control {

namespace {

using Json = nlohmann::json;
using devices::FileDescriptor;

constexpr int format_version = 1;
constexpr std::array<const char*, 4> origins = {"created", "changed", "same", "removed"};
constexpr std::string_view prefix = "export-";
constexpr std::string_view suffix = ".json";
constexpr std::string_view unfinished = ".new";

[[noreturn]] void fail(const std::string& path, const std::string& what) {
    throw std::runtime_error("state_dir: \"" + config::escaped(path) + "\": " + what);
}

[[noreturn]] void fail_with_errno(const std::string& path, const std::string& what) {
    fail(path, what + ": " + std::generic_category().message(errno));
}

void sync(const std::string& folder) {
    const FileDescriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd || ::fsync(fd.get()) != 0)
        fail_with_errno(folder, "cannot be synced");
}

std::string text_of(const std::string& name, const Record& record) {
    std::string text = "{\"format\":" + std::to_string(format_version) +
                       ",\"name\":" + Json(name).dump() + ",\"origin\":\"" +
                       origins[static_cast<std::size_t>(record.origin)] + "\"";
    if (record.live)
        text += ",\n\"live\":" + config::to_json(*record.live);
    if (record.loaded)
        text += ",\n\"loaded\":" + config::to_json(*record.loaded);
    return text + "}\n";
}

void write_all(int fd, const std::string& path, std::string_view text) {
    while (!text.empty()) {
        const ssize_t put = ::write(fd, text.data(), text.size());
        if (put < 0 && errno != EINTR)
            fail_with_errno(path, "cannot be written");
        text.remove_prefix(put < 0 ? 0 : static_cast<std::size_t>(put));
    }
}

void write_synced(const std::string& path, std::string_view text) {
    const FileDescriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!fd)
        fail_with_errno(path, "cannot be made");
    write_all(fd.get(), path, text);
    if (::fsync(fd.get()) != 0)
        fail_with_errno(path, "cannot be synced");
}

/// What could not be read again would keep the server from starting.
void check_readable(const Record& record, const std::string& path) {
    for (const auto* each : {&record.live, &record.loaded}) {
        if (*each && !(config::parse_export(config::to_json(**each), path, "/") == **each))
            fail(path, "would not be read as it is written");
    }
}

std::optional<config::Export> export_in(const Json& record, const char* key,
                                        const std::string& path) {
    if (!record.contains(key))
        return std::nullopt;
    return config::parse_export(record.at(key).dump(), path, "/");
}

} // namespace

StateStore::StateStore(std::string folder) : folder_(std::move(folder)) {
    made_ = ::mkdir(folder_.c_str(), 0700) == 0;
    if (made_)
        sync(std::filesystem::path(folder_).parent_path().string());
    else if (errno != EEXIST)
        fail_with_errno(folder_, "cannot be made");
    lock_ = FileDescriptor(::open(path_of("lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!lock_)
        fail_with_errno(path_of("lock"), "cannot be opened");
    if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            fail(folder_, "another server uses it");
        fail_with_errno(path_of("lock"), "cannot be locked");
    }
    read_all();
}

void StateStore::give_to(uid_t uid, gid_t gid) const {
    const FileDescriptor all(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct stat found {};
    if (!all || ::fstat(all.get(), &found) != 0)
        fail_with_errno(folder_, "cannot be opened");
    if (!made_ && found.st_uid != uid)
        fail(folder_, "want it to belong to user " + std::to_string(uid) +
                          ", whom \"run_as\" names, found it to belong to user " +
                          std::to_string(found.st_uid));
    if (::fchown(all.get(), uid, gid) != 0)
        fail_with_errno(folder_, "cannot be given to user " + std::to_string(uid));
    std::vector<std::string> files = {"lock", "boot"};
    for (const auto& [name, file] : files_)
        files.push_back(file);
    for (const std::string& file : files) {
        if (!devices::give_file(all.get(), file, uid, gid))
            fail_with_errno(path_of(file), "cannot be given to user " + std::to_string(uid));
    }
}

void StateStore::read_all() {
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
        const std::string file = entry.path().filename().string();
        if (!file.starts_with(prefix))
            continue;
        if (file.ends_with(unfinished))
            ::unlink(path_of(file).c_str());
        else if (file.ends_with(suffix))
            read(file);
    }
}

void StateStore::read(const std::string& file) {
    const std::string path = path_of(file);
    std::uint64_t number = 0;
    std::from_chars(file.data() + prefix.size(), file.data() + file.size(), number);
    next_file_ = std::max(next_file_, number + 1);
    std::ifstream in(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    if (!in.is_open() || in.bad())
        fail(path, "cannot be read");
    try {
        const Json json = Json::parse(text);
        if (json.at("format") != format_version)
            fail(path, "want format " + std::to_string(format_version) + ", found " +
                           json.at("format").dump());
        const auto name = json.at("name").get<std::string>();
        const auto known =
            std::find(origins.begin(), origins.end(), json.at("origin").get<std::string>());
        if (known == origins.end())
            fail(path, "want a known origin, found " + json.at("origin").dump());
        Record record{.origin = static_cast<Record::Origin>(known - origins.begin()),
                      .live = export_in(json, "live", path),
                      .loaded = export_in(json, "loaded", path)};
        if (const auto [other, is_new] = files_.emplace(name, file); !is_new)
            fail(path, "is about the same export as \"" + other->second + "\"");
        records_.emplace(name, std::move(record));
    } catch (const Json::exception& why) {
        fail(path, std::string("is no record of an export: ") + why.what());
    }
}

void StateStore::sync_folder() const {
    sync(folder_);
}

StateStore::Pending::~Pending() {
    if (!written_.empty())
        ::unlink(written_.c_str());
}

std::shared_ptr<StateStore::Pending> StateStore::prepare(const std::string& name,
                                                         std::optional<Record> record) {
    auto pending = std::make_shared<Pending>(name, std::move(record));
    if (!pending->record_)
        return pending;
    const auto known = files_.find(name);
    pending->file_ = known != files_.end()
                         ? known->second
                         : std::string(prefix) + std::to_string(next_file_) + std::string(suffix);
    const std::string path = path_of(pending->file_);
    check_readable(*pending->record_, path);
    pending->written_ = path + std::string(unfinished);
    write_synced(pending->written_, text_of(name, *pending->record_));
    return pending;
}

void StateStore::commit(Pending& pending, const MayCommit& may_commit) {
    if (!pending.record_ && !files_.contains(pending.name_))
        return;
    if (!may_commit())
        fail(folder_, "recording of export " + config::in_quotes(pending.name_) + " called off");
    if (pending.record_)
        put_in_place(pending);
    else
        take_away(pending.name_);
}

void StateStore::put_in_place(Pending& pending) {
    const std::string path = path_of(pending.file_);
    if (::rename(pending.written_.c_str(), path.c_str()) != 0)
        fail_with_errno(path, "cannot be replaced");
    pending.written_.clear();
    sync_folder();
    if (files_.emplace(pending.name_, pending.file_).second)
        ++next_file_;
    records_.insert_or_assign(pending.name_, std::move(*pending.record_));
}

void StateStore::put_text(const std::string& file, const std::string& text) const {
    const std::string path = path_of(file);
    const std::string fresh = path + std::string(unfinished);
    write_synced(fresh, text);
    if (::rename(fresh.c_str(), path.c_str()) != 0)
        fail_with_errno(path, "cannot be replaced");
    sync_folder();
}

void StateStore::take_away(const std::string& name) {
    const auto known = files_.find(name);
    const std::string path = path_of(known->second);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
        fail_with_errno(path, "cannot be removed");
    sync_folder();
    files_.erase(known);
    records_.erase(name);
}

config::Configuration StateStore::apply_to(config::Configuration configuration) const {
    auto& exports = configuration.exports;
    for (const auto& [name, record] : records_) {
        const auto found = std::find_if(exports.begin(), exports.end(),
                                        [&name = name](const auto& e) { return e.name == name; });
        if (record.origin == Record::Origin::removed) {
            if (found != exports.end())
                exports.erase(found);
        } else if (record.live) {
            if (found != exports.end())
                *found = *record.live;
            else
                exports.push_back(*record.live);
        }
    }
    return configuration;
}

} // namespace interposed::control
