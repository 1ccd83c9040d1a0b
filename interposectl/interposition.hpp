#pragma once

#include "interposectl/client.hpp"
#include "interposectl/json.hpp"
#include "volume/device_mapper.hpp"

#include <optional>
#include <string>
#include <vector>

namespace interposed::ctl {

/// A volume that the server is in the path of, or was to be, as the server keeps it.
struct Interposition {
    enum class State : std::uint8_t { entering, in, leaving };

    std::string export_name;
    std::string device;     ///< "/dev/nbd3"; empty: not attached at the moment
    std::string identifier; ///< of the attachment
    std::string serving;    ///< what the server says of the attachment
    bool claimed = false;   ///< the disks; else the lease is the fence

    std::string volume;
    std::string uuid;
    volume::Table before;
    volume::Table after;
    std::string since; ///< RFC 3339
    State state = State::entering;
    bool fail_open = false;
};

const char* word_of(Interposition::State state);

/// Of attachment.list and export.list. Those of attachments that are of no volume are passed over.
std::vector<Interposition> read_interpositions(const Json& attachments, const Json& exports);

/// What `export.mark` keeps of it.
Json mark_of(const Interposition& one);

/// Asks the server.
std::vector<Interposition> interpositions(Client& client);

/// Of this volume. Its uuid decides, where it has one: names change.
std::optional<Interposition> find_interposition(const std::vector<Interposition>& all,
                                                const std::string& volume, const std::string& uuid);

} // namespace interposed::ctl
