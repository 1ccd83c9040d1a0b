#include "control/accept_header.hpp"

#include <catch2/catch.hpp>

namespace interposed::control {

TEST_CASE("OpenMetrics is for those who ask for it by name", "[control]") {
    CHECK(dialect_for("application/openmetrics-text") == Dialect::openmetrics);
    CHECK(dialect_for("application/openmetrics-text;version=1.0.0") == Dialect::openmetrics);
    CHECK(dialect_for("Application/OpenMetrics-Text ; Version=\"1.0.0\" ; charset=utf-8") ==
          Dialect::openmetrics);
    // What Prometheus 2.42 sends.
    CHECK(dialect_for("application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
                      "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1") ==
          Dialect::openmetrics);
}

TEST_CASE("everybody else gets plain text", "[control]") {
    CHECK(dialect_for("") == Dialect::prometheus);
    CHECK(dialect_for("*/*") == Dialect::prometheus);
    CHECK(dialect_for("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8") ==
          Dialect::prometheus);
    CHECK(dialect_for("application/openmetrics-text; version=0.0.1,text/plain;q=0.5") ==
          Dialect::prometheus);
    CHECK(dialect_for("application/openmetrics-text;q=0") == Dialect::prometheus);
    CHECK(dialect_for("application/openmetrics-text;q=0.4, text/plain;q=0.5") ==
          Dialect::prometheus);
}

TEST_CASE("nonsense in an Accept header is plain text as well", "[control]") {
    for (const char* nonsense : {",", ";", "=", ",;=,;=", "application/openmetrics-text-2", ";q=1",
                                 "text/plain;q=application/openmetrics-text", " \t ,"})
        CHECK(dialect_for(nonsense) == Dialect::prometheus);
}

} // namespace interposed::control
