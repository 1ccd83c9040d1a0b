#include "config/config.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <vector>

namespace fs = std::filesystem;
using namespace interposed::config;

namespace {

/// Beside this file; it is named from the build folder, in which tests are run.
fs::path samples() {
    const fs::path beside = fs::absolute(__FILE__).parent_path() / "config_samples";
    for (fs::path above = fs::current_path(); !fs::exists(beside) && above.has_relative_path();
         above = above.parent_path())
        if (const fs::path found = above / "tests/unit/config_samples"; fs::exists(found))
            return found;
    return beside;
}

std::vector<fs::path> samples_in(const std::string& folder) {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(samples() / folder))
        found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    REQUIRE(found.size() > 2);
    return found;
}

} // namespace

TEST_CASE("samples that are right are taken", "[config]") {
    for (const fs::path& sample : samples_in("valid")) {
        INFO(sample);
        CHECK_NOTHROW(load(sample));
    }
}

TEST_CASE("samples that are wrong are refused with a place", "[config]") {
    for (const std::string folder : {"invalid", "beyond_schema"}) {
        for (const fs::path& sample : samples_in(folder)) {
            INFO(sample);
            try {
                load(sample);
                FAIL("it was taken");
            } catch (const ConfigError& why) {
                CHECK(why.faults().size() <= 2);
                CHECK(why.faults().at(0).place.line == 1);
                CHECK(why.faults().at(0).place.column > 0);
            }
        }
    }
}
