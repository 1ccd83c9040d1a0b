#include "fallback/guarded.hpp"

#include "attach/lock_file.hpp"
#include "devices/kernel_files.hpp"

#include <array>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace interposed::fallback {
namespace {

using Json = nlohmann::ordered_json;
using State = Guarded::State;

constexpr std::string_view suffix = ".json";

[[noreturn]] void fail(const std::string& path, const std::string& why) {
    throw std::runtime_error(path + ": " + why);
}

Json json_of(const Guarded& one) {
    return {{"identifier", one.identifier},
            {"volume", one.volume},
            {"uuid", one.uuid},
            {"number", volume::text_of(one.number)},
            {"before", volume::lines_of(one.before)},
            {"after", volume::lines_of(one.after)},
            {"export", one.export_name},
            {"device", one.device},
            {"control", one.control},
            {"patience_s", one.patience_s},
            {"timeout_s", one.timeout_s},
            {"dead_conn_timeout_s", one.dead_conn_timeout_s},
            {"state", word_of(one.state)},
            {"since", one.since}};
}

State state_of(const std::string& word) {
    for (const State each : {State::watching, State::standing_in})
        if (word == word_of(each))
            return each;
    return State::fallen_back;
}

Guarded guarded_of(const Json& json) {
    return {.identifier = json.at("identifier"),
            .volume = json.at("volume"),
            .uuid = json.at("uuid"),
            .number = volume::parse_number(json.at("number").get<std::string>()),
            .before = volume::parse_lines(json.at("before")),
            .after = volume::parse_lines(json.at("after")),
            .export_name = json.at("export"),
            .device = json.at("device"),
            .control = json.at("control"),
            .patience_s = json.at("patience_s"),
            .timeout_s = json.at("timeout_s"),
            .dead_conn_timeout_s = json.at("dead_conn_timeout_s"),
            .state = state_of(json.at("state")),
            .since = json.at("since")};
}

} // namespace

const char* word_of(State state) {
    switch (state) {
    case State::watching:
        return "watching";
    case State::standing_in:
        return "standing in";
    case State::fallen_back:
        break;
    }
    return "fallen back";
}

std::string now_text() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    std::array<char, 32> text{};
    ::gmtime_r(&now, &parts);
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text.data();
}

std::string GuardFiles::path_of(const std::string& identifier) const {
    return folder_ + "/" + identifier + std::string(suffix);
}

std::string GuardFiles::lock_of(const std::string& identifier) const {
    return folder_ + "/" + identifier + ".lock";
}

std::string GuardFiles::log_of(const std::string& identifier) const {
    return folder_ + "/" + identifier + ".log";
}

std::string GuardFiles::said(const std::string& identifier) const {
    return devices::read_kernel_file(log_of(identifier)).value_or("");
}

bool GuardFiles::is_guarded(const std::string& identifier) const {
    return attach::LockFile::is_held(lock_of(identifier));
}

bool GuardFiles::are_all_guarded() const {
    return attach::LockFile::is_held(lock_of_all());
}

void GuardFiles::put(const Guarded& one) const {
    const std::string path = path_of(one.identifier);
    attach::make_folder_of(path);
    const std::string fresh = path + ".new";
    std::ofstream out(fresh, std::ios::trunc);
    out << json_of(one).dump(1) << "\n" << std::flush;
    if (!out || ::chmod(fresh.c_str(), 0600) != 0 || ::rename(fresh.c_str(), path.c_str()) != 0)
        fail(path, "cannot be written: " + std::generic_category().message(errno));
}

std::optional<Guarded> GuardFiles::find(const std::string& identifier) const {
    const std::string path = path_of(identifier);
    const auto text = devices::read_kernel_file(path);
    if (!text && ::access(path.c_str(), F_OK) != 0)
        return std::nullopt;
    try {
        return guarded_of(Json::parse(text.value_or("")));
    } catch (const std::exception& why) {
        fail(path, std::string("tells of no volume to guard: ") + why.what());
    }
}

void GuardFiles::remove(const std::string& identifier) const {
    const std::string path = path_of(identifier);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
        fail(path, "cannot be removed: " + std::generic_category().message(errno));
}

std::vector<Guarded> GuardFiles::all() const {
    std::vector<Guarded> found;
    for (const auto& entry : devices::entries_of(folder_)) {
        const std::string file = entry.filename().string();
        if (!file.ends_with(suffix))
            continue;
        try {
            if (auto one = find(file.substr(0, file.size() - suffix.size())))
                found.push_back(std::move(*one));
        } catch (const std::exception&) { // whoever asks for that one by name is told
        }
    }
    return found;
}

std::optional<Guarded> GuardFiles::find_volume(const std::string& name,
                                               const std::string& uuid) const {
    for (Guarded& each : all())
        if (uuid.empty() ? each.uuid.empty() && each.volume == name : each.uuid == uuid)
            return std::move(each);
    return std::nullopt;
}

} // namespace interposed::fallback
