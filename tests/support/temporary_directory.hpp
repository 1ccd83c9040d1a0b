#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace interposed::tests {

/// A directory of its own for one test, removed with everything in it.
class TemporaryDirectory {
public:
    TemporaryDirectory() {
        std::string name = std::filesystem::temp_directory_path() / "interposed-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr)
            throw std::runtime_error("mkdtemp " + name);
        path_ = name;
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] std::string file(const std::string& name) const { return path_ / name; }

    /// Creates a file of zeroes.
    [[nodiscard]] std::string make_file(const std::string& name, std::uint64_t size) const {
        const std::string made = make_text(name, "");
        std::filesystem::resize_file(made, size);
        return made;
    }
    /// Creates a file with this content, and the directories above it.
    [[nodiscard]] std::string make_text(const std::string& name, const std::string& text) const {
        const std::filesystem::path made = path_ / name;
        std::filesystem::create_directories(made.parent_path());
        std::ofstream(made) << text;
        return made;
    }

private:
    std::filesystem::path path_;
};

} // namespace interposed::tests
