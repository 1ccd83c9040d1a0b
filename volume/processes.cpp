#include "volume/processes.hpp"

#include "devices/kernel_files.hpp"
#include "devices/proc_tables.hpp"
#include "volume/block_devices.hpp"

#include <charconv>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <sys/stat.h>
#include <system_error>

namespace interposed::volume {
namespace {

namespace fs = std::filesystem;

std::string folder_of(pid_t process) {
    return "/proc/" + std::to_string(process);
}

std::string link_at(const std::string& path) {
    std::error_code why;
    return fs::read_symlink(path, why).string();
}

/// The value behind "KEY:" in a file of /proc, without blanks before it.
std::string value_in(const std::string& file, const std::string& key) {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
        if (!line.starts_with(key))
            continue;
        const std::size_t at = line.find_first_not_of(" \t:", key.size());
        return at == std::string::npos ? "" : line.substr(at);
    }
    return "";
}

std::set<std::string> libraries_of(const std::string& folder) {
    std::set<std::string> found;
    const std::string program = link_at(folder + "/exe");
    std::ifstream in(folder + "/maps");
    for (std::string line; std::getline(in, line);) {
        const std::size_t slash = line.find(" /");
        const std::string path = slash == std::string::npos ? "" : line.substr(slash + 1);
        if (!path.empty() && path != program && !path.starts_with("/dev/"))
            found.insert(path);
    }
    return found;
}

/// By the inode of the socket: its path, if it has one.
std::string path_of_socket(const std::string& folder, const std::string& inode) {
    std::ifstream in(folder + "/net/unix");
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        std::string word;
        for (int i = 0; i < 7; ++i)
            words >> word;
        std::string path;
        if (word == inode && words >> path)
            return path;
    }
    return "";
}

bool writes(const std::string& folder, const std::string& fd) {
    const auto text = devices::read_kernel_file(folder + "/fdinfo/" + fd).value_or("");
    return (devices::parse_fdinfo(text).flags & O_ACCMODE) != O_RDONLY;
}

class Finder {
public:
    Finder(const Dependence& volume, pid_t process)
        : volume_(volume), folder_(folder_of(process)) {}

    std::vector<Needed> all() {
        add(Use::program, folder_ + "/exe", link_at(folder_ + "/exe"));
        for (const std::string& path : libraries_of(folder_))
            add(Use::library, folder_ + "/root" + path, path);
        add(Use::working_folder, folder_ + "/cwd", link_at(folder_ + "/cwd"));
        add_core_dumps();
        std::error_code why;
        for (const auto& entry : fs::directory_iterator(folder_ + "/fd", why))
            add_open(entry.path().filename().string());
        return std::move(found_);
    }

private:
    void add(Use use, const std::string& at, const std::string& name) {
        if (volume_.path(at))
            found_.push_back({use, name});
    }

    /// Written by the kernel while the process, with all its claims, still lives.
    void add_core_dumps() {
        const std::string pattern =
            devices::read_kernel_file("/proc/sys/kernel/core_pattern").value_or("");
        const std::string limit = value_in(folder_ + "/limits", "Max core file size");
        if (pattern.starts_with('|')) {
            const std::string program = pattern.substr(1, pattern.find(' ') - 1);
            add(Use::core_dumps, program, program);
        } else if (!limit.starts_with("0 ")) {
            const bool relative = !pattern.starts_with('/');
            const std::string at =
                relative ? folder_ + "/cwd"
                         : folder_ + "/root" + fs::path(pattern).parent_path().string();
            add(Use::core_dumps, at, relative ? link_at(at) : pattern);
        }
    }

    void add_open(const std::string& fd) {
        const std::string at = folder_ + "/fd/" + fd;
        const std::string name = link_at(at);
        struct stat found {};
        if (::stat(at.c_str(), &found) != 0)
            return;
        if (S_ISREG(found.st_mode) && writes(folder_, fd)) {
            add(Use::open_file, at, name);
        } else if (S_ISSOCK(found.st_mode) && name.starts_with("socket:[")) {
            const std::string path = path_of_socket(folder_, name.substr(8, name.size() - 9));
            if (path.starts_with('/'))
                add(Use::socket, folder_ + "/root" + path, path);
        }
    }

    const Dependence& volume_;
    std::string folder_;
    std::vector<Needed> found_;
};

} // namespace

std::vector<Needed> needed_on(const Dependence& volume, pid_t process) {
    return Finder(volume, process).all();
}

Memory memory_of(pid_t process) {
    const std::string folder = folder_of(process);
    Memory memory;
    memory.locked = !value_in(folder + "/status", "VmLck").starts_with("0 ");
    const std::string score = devices::read_kernel_file(folder + "/oom_score_adj").value_or("");
    std::from_chars(score.data(), score.data() + score.size(), memory.oom_score_adj);
    return memory;
}

} // namespace interposed::volume
