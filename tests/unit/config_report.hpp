#pragma once

#include "config/config.hpp"

#include <string>
#include <string_view>

namespace interposed::config {

/// The report on a text, or nothing for one that is right.
inline std::string report(std::string_view text) {
    try {
        parse(text, "f", "/conf");
        return {};
    } catch (const ConfigError& why) {
        return why.what();
    }
}

/// A configuration with one export, whose members but the name begin on the second line.
inline std::string with_export(const std::string& members) {
    return "{\"listen\": \"tcp://localhost\", \"exports\": [{\"name\": \"a\",\n" + members +
           "\n}]}";
}

/// A configuration with one segment, whose members but kind and device begin on the second line.
inline std::string with_segment(const std::string& members) {
    return "{\"listen\": \"tcp://localhost\", \"exports\": [{\"name\": \"a\", \"table\": ["
           "{\"kind\": \"linear\", \"device\": \"disk.img\",\n" +
           members + "\n}]}]}";
}

/// A configuration with these listeners, which begin on the second line.
inline std::string with_listen(const std::string& listen) {
    return "{\"listen\":\n" + listen +
           "\n, \"exports\": [{\"name\": \"a\", \"table\": "
           "[{\"kind\": \"linear\", \"device\": \"disk.img\"}]}]}";
}

} // namespace interposed::config
