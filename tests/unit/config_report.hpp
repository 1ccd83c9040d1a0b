#pragma once

#include "config/config.hpp"

#include <string>
#include <string_view>

namespace interposed::config {

/// The report of what refuses a text, or nothing if it is right.
template <class Read>
std::string report_of(Read read) {
    try {
        read();
        return {};
    } catch (const ConfigError& why) {
        return why.what();
    }
}

/// The report on a text as a whole configuration.
inline std::string report(std::string_view text) {
    return report_of([text] { parse(text, "f", "/conf"); });
}

/// A configuration with one export, whose members but the name begin on the second line.
inline std::string with_export(const std::string& members) {
    return "{\"listen\": \"tcp://localhost\", \"exports\": [{\"name\": \"a\",\n" + members +
           "\n}]}";
}

/// A configuration with one export of one segment; these of its members begin on the second line.
inline std::string with_members(const std::string& members) {
    return with_export(members + ",\n\"table\": [{\"kind\": \"linear\", \"device\": \"x\"}]");
}

inline Export export_with(const std::string& members) {
    return parse(with_members(members), "f", "/conf").exports.at(0);
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
