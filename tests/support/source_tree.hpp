#pragma once

#include <filesystem>

namespace interposed::tests {

/// A file of the source tree. The compiler was told this file's name from the build folder, which
/// is where tests are run, or from any folder within the tree.
inline std::filesystem::path source_file(const std::filesystem::path& relative) {
    namespace fs = std::filesystem;
    const fs::path beside = fs::absolute(__FILE__).parent_path() / "../.." / relative;
    for (fs::path above = fs::current_path(); !fs::exists(beside) && above.has_relative_path();
         above = above.parent_path())
        if (fs::exists(above / relative))
            return above / relative;
    return beside;
}

} // namespace interposed::tests
