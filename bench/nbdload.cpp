#include "bench/plan.hpp"
#include "bench/report.hpp"
#include "bench/run.hpp"

#include <cstdio>
#include <exception>

int main(int count, char** words) {
    using namespace interposed::bench;
    try {
        const Plan plan = parse_arguments(count, words);
        const Result result = run(plan);
        std::puts((plan.json ? to_json(plan, result) : to_line(plan, result)).c_str());
        return 0;
    } catch (const std::exception& why) {
        std::fprintf(stderr, "nbdload: %s\n", why.what());
        return 1;
    }
}
