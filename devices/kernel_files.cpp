#include "devices/kernel_files.hpp"

#include "devices/file_descriptor.hpp"

#include <algorithm>
#include <charconv>
#include <fcntl.h>
#include <sys/sysmacros.h>

namespace interposed::devices {

namespace fs = std::filesystem;

std::optional<std::string> read_kernel_file(const fs::path& file) {
    const FileDescriptor in(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!in)
        return std::nullopt;
    std::string text;
    char part[4096];
    ssize_t got = 0;
    while ((got = ::read(in.get(), part, sizeof part)) > 0)
        text.append(part, static_cast<std::size_t>(got));
    if (got < 0)
        return std::nullopt;
    if (!text.empty() && text.back() == '\n')
        text.pop_back();
    return text;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    if (parsed.ec != std::errc{} || parsed.ptr != end)
        return std::nullopt;
    return number;
}

std::optional<dev_t> parse_device_number(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos)
        return std::nullopt;
    const auto major = parse_number(text.substr(0, colon));
    const auto minor = parse_number(text.substr(colon + 1));
    if (!major || !minor || *major > 0xffffffff || *minor > 0xffffffff)
        return std::nullopt;
    return makedev(static_cast<unsigned>(*major), static_cast<unsigned>(*minor));
}

std::string to_string_device_number(dev_t device) {
    return std::to_string(major(device)) + ":" + std::to_string(minor(device));
}

std::optional<std::uint64_t> read_kernel_number(const fs::path& file) {
    const auto text = read_kernel_file(file);
    return text ? parse_number(*text) : std::nullopt;
}

fs::path block_directory(const KernelTrees& trees, dev_t device) {
    return trees.sys / "dev/block" / to_string_device_number(device);
}

bool is_partition(const fs::path& block_directory) {
    std::error_code ignored;
    return fs::exists(block_directory / "partition", ignored);
}

std::optional<std::string> kernel_node(const fs::path& block_directory) {
    const std::string text = "\n" + read_kernel_file(block_directory / "uevent").value_or("");
    const std::string key = "\nDEVNAME=";
    const auto found = text.find(key);
    if (found == std::string::npos)
        return std::nullopt;
    const auto begin = found + key.size();
    return "/dev/" + text.substr(begin, text.find('\n', begin) - begin);
}

std::vector<fs::path> entries_of(const fs::path& directory) {
    std::vector<fs::path> entries;
    std::error_code failed;
    fs::directory_iterator at(directory, failed);
    for (; !failed && at != fs::directory_iterator(); at.increment(failed))
        entries.push_back(at->path());
    std::sort(entries.begin(), entries.end());
    return entries;
}

} // namespace interposed::devices
