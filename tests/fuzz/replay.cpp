#include "tests/fuzz/fuzz.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

// Shows a target the files that are named, and those in the folders that are named: what a fuzzer
// has found stays tested where there is no fuzzer.

namespace {

void show(const std::filesystem::path& file) {
    std::printf("%s\n", file.c_str());
    std::fflush(stdout); // the last name is that of the culprit
    std::ifstream in(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    interposed::fuzz::require(in.is_open(), "the file can be read");
    const std::vector<std::uint8_t> input(text.begin(), text.end());
    LLVMFuzzerTestOneInput(input.data(), input.size());
}

} // namespace

int main(int count, char** arguments) {
    std::vector<std::filesystem::path> files;
    for (const char* named : std::span(arguments, static_cast<std::size_t>(count)).subspan(1)) {
        if (!std::filesystem::is_directory(named)) {
            files.emplace_back(named);
            continue;
        }
        for (const auto& each : std::filesystem::recursive_directory_iterator(named)) {
            if (each.is_regular_file())
                files.push_back(each.path());
        }
    }
    std::sort(files.begin(), files.end());
    for (const auto& file : files)
        show(file);
    std::printf("%zu inputs\n", files.size());
    return files.empty() ? 1 : 0;
}
