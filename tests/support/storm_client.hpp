#pragma once

#include "tests/support/faulty_device.hpp"
#include "tests/support/scripted_client.hpp"

#include <cstring>
#include <map>
#include <random>
#include <string>

namespace interposed::tests {

/// What is wrong with an export, in its own coordinates.
struct ExportFaults {
    struct One {
        Fault fault;
        std::uint64_t known_from; ///< an error may name any byte from here to the first bad one
    };
    std::vector<One> all;
    std::uint32_t flush = 0; ///< what every flush gets

    [[nodiscard]] const One* first(devices::OpKind kind, mapping::Extent extent) const {
        const One* found = nullptr;
        for (const One& one : all) {
            const bool before = !found || one.fault.where.offset < found->fault.where.offset;
            if (one.fault.meets(kind, extent) && before)
                found = &one;
        }
        return found;
    }
};

/// A client that sends random requests, many at a time, and knows what each of them must get. It
/// writes only in its own part of the export, and nowhere twice at a time. Runs on any thread, and
/// keeps what it has found wrong for the one that asserts.
class StormClient {
public:
    struct Setting {
        std::string name;
        std::uint64_t size;
        mapping::Extent own;
        const ExportFaults& faults;
        protocol::Framing framing;
        unsigned seed;
    };

    StormClient(TestServer& server, Setting setting)
        : setting_(std::move(setting)), client_(server), random_(setting_.seed), noise_(1 << 20),
          content_(setting_.own.length) {
        for (std::byte& each : noise_)
            each = static_cast<std::byte>(random_());
        go(client_, setting_.name, setting_.framing);
    }

    /// So many times: sends requests, and receives their replies meanwhile.
    void run(unsigned rounds, unsigned requests) {
        for (unsigned round = 0; round < rounds && complaints_.empty(); ++round) {
            asked_.clear();
            Bytes script;
            for (unsigned i = 0; i < requests; ++i) // one of them large, and few of a middle size
                ask(script, i == 0 ? 700000 : i < 4 ? 131072 : 8192);
            std::thread sender([&] { client_.send(script); });
            for (unsigned left = requests; left > 0 && complaints_.empty();)
                left -= take_message() ? 1 : 0;
            sender.join();
            remember();
        }
        client_.send(header({.command = protocol::Command::disconnect}));
        if (complaints_.empty() && !client_.receive(1).empty())
            complaints_.emplace_back("a reply that nobody waits for");
    }

    [[nodiscard]] const std::vector<std::string>& complaints() const { return complaints_; }
    /// How many requests failed in a device.
    [[nodiscard]] unsigned failures() const { return failures_; }

private:
    struct Asked {
        protocol::Request request;
        std::size_t noise = 0; ///< where the payload begins there
        std::uint32_t error = 0;
        std::optional<mapping::Extent> place; ///< where the error may be said to be
        Bytes data;                           ///< of a READ, as it comes
        bool done = false;

        [[nodiscard]] mapping::Extent extent() const { return {request.offset, request.length}; }
        [[nodiscard]] bool writes() const {
            return request.command == protocol::Command::write ||
                   request.command == protocol::Command::write_zeroes;
        }
    };

    std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

    [[nodiscard]] Bytes header(protocol::Request request) const {
        const auto command = static_cast<std::uint16_t>(request.command);
        if (setting_.framing != protocol::Framing::extended)
            return tests::request(request.flags, command, request.cookie, request.offset,
                                  static_cast<std::uint32_t>(request.length));
        const unsigned payload = request.command == protocol::Command::write ? 0x20 : 0;
        return wire()
            .u32(0x21e41c71)
            .u16(static_cast<std::uint16_t>(request.flags | payload))
            .u16(command)
            .u64(request.cookie)
            .u64(request.offset)
            .u64(request.length);
    }

    void ask(Bytes& script, std::uint64_t most) {
        using protocol::Command;
        static constexpr std::array commands{
            Command::read,  Command::read,         Command::read, Command::write, Command::write,
            Command::write, Command::write_zeroes, Command::trim, Command::cache, Command::flush};
        Asked asked;
        asked.request.cookie = ++cookies_;
        asked.request.command = commands[below(commands.size())];
        do {
            place(asked, most);
        } while (conflicts(asked));
        if (asked.request.command == Command::write && below(4) == 0)
            asked.request.flags = protocol::command_flag::fua;
        foretell(asked);
        const Bytes head = header(asked.request);
        script.insert(script.end(), head.begin(), head.end());
        if (asked.request.command == Command::write) {
            asked.noise = below(noise_.size() - asked.request.length);
            const auto from = noise_.begin() + static_cast<std::ptrdiff_t>(asked.noise);
            script.insert(script.end(), from,
                          from + static_cast<std::ptrdiff_t>(asked.request.length));
        }
        asked_.emplace(asked.request.cookie, std::move(asked));
    }

    /// Somewhere, fewer bytes than that; often where something is wrong, sometimes beyond the end.
    void place(Asked& asked, std::uint64_t most) {
        const mapping::Extent within =
            asked.request.command == protocol::Command::read && below(4) == 0
                ? mapping::Extent{0, setting_.size}
                : setting_.own;
        std::uint64_t length = most / 8 + below(most * 7 / 8);
        std::uint64_t offset = within.offset + below(within.length - length / 2);
        if (!setting_.faults.all.empty() && below(3) == 0) {
            const auto& near = setting_.faults.all[below(setting_.faults.all.size())].fault.where;
            const std::uint64_t before = below(length);
            if (near.offset >= within.offset + before && near.offset < within.end())
                offset = near.offset - before;
        }
        length = std::min(length, within.end() - offset);
        if (below(50) == 0)
            offset = setting_.size - below(length);
        asked.request.offset = offset;
        asked.request.length = length;
    }

    [[nodiscard]] bool conflicts(const Asked& asked) const {
        return std::any_of(asked_.begin(), asked_.end(), [&](const auto& each) {
            const Asked& other = each.second;
            return (asked.writes() || other.writes()) &&
                   asked.request.offset < other.extent().end() &&
                   other.request.offset < asked.extent().end();
        });
    }

    void foretell(Asked& asked) const {
        using devices::OpKind;
        static const std::map<protocol::Command, OpKind> kinds{
            {protocol::Command::read, OpKind::read},
            {protocol::Command::write, OpKind::write},
            {protocol::Command::write_zeroes, OpKind::write_zeroes},
            {protocol::Command::trim, OpKind::trim},
            {protocol::Command::cache, OpKind::cache}};
        if (asked.request.command == protocol::Command::flush) {
            asked.error = setting_.faults.flush;
        } else if (asked.extent().end() > setting_.size) {
            asked.error = asked.writes() ? ENOSPC : EINVAL;
        } else if (const auto* bad =
                       setting_.faults.first(kinds.at(asked.request.command), asked.extent())) {
            asked.error = static_cast<std::uint32_t>(protocol::to_wire(bad->fault.error));
            const std::uint64_t begin = std::max(asked.request.offset, bad->known_from);
            const std::uint64_t at = std::max(asked.request.offset, bad->fault.where.offset);
            asked.place = mapping::Extent{begin, at + 1 - begin};
        }
    }

    // ---- replies ----

    void complain(const Asked& asked, const std::string& what) {
        complaints_.push_back(setting_.name + ": command " +
                              std::to_string(static_cast<unsigned>(asked.request.command)) + " " +
                              std::to_string(asked.request.offset) + "+" +
                              std::to_string(asked.request.length) + ": " + what);
    }

    /// True: it was the last of its reply.
    bool take_message() {
        const std::size_t rest = setting_.framing == protocol::Framing::extended ? 28 : 16;
        Bytes head = client_.receive(4);
        if (head.size() < 4) {
            complaints_.emplace_back("the connection ended, or a reply is missing");
            return false;
        }
        const auto magic = protocol::load_be<std::uint32_t>(head.data());
        const bool simple = magic == 0x67446698;
        head = client_.receive(simple ? 12 : rest);
        const auto cookie = protocol::load_be<std::uint64_t>(head.data() + 4);
        const auto found = asked_.find(cookie);
        if (found == asked_.end() || found->second.done) {
            complaints_.emplace_back("a reply that nobody waits for");
            return false;
        }
        Asked& asked = found->second;
        if (simple)
            take_simple(asked, protocol::load_be<std::uint32_t>(head.data()));
        else
            take_chunk(asked, head, protocol::load_be<std::uint32_t>(head.data() + rest - 4));
        if (asked.done)
            check(asked);
        return asked.done;
    }

    void take_simple(Asked& asked, std::uint32_t error) {
        asked.done = true;
        expect_error(asked, error);
        if (asked.request.command == protocol::Command::read && error == 0)
            asked.data = client_.receive(asked.request.length);
    }

    void take_chunk(Asked& asked, const Bytes& head, std::size_t length) {
        const auto type = protocol::load_be<std::uint16_t>(head.data() + 2);
        const Bytes payload = client_.receive(length);
        asked.done = protocol::load_be<std::uint16_t>(head.data()) == 1;
        if (type == 1)
            asked.data.insert(asked.data.end(), payload.begin() + 8, payload.end());
        else if (type >= 0x8000)
            take_error(asked, type, payload);
        else if (type != 0)
            complain(asked, "a chunk of type " + std::to_string(type));
        else
            expect_error(asked, 0);
    }

    void take_error(Asked& asked, std::uint16_t type, const Bytes& payload) {
        expect_error(asked, protocol::load_be<std::uint32_t>(payload.data()));
        if (asked.place.has_value() != (type == 0x8002)) {
            complain(asked, "an error with an offset, or without one, where it should not be");
        } else if (asked.place) {
            const auto at = protocol::load_be<std::uint64_t>(payload.data() + payload.size() - 8);
            if (at < asked.place->offset || at >= asked.place->end())
                complain(asked, "want the error at " + std::to_string(asked.place->offset) +
                                    " or up to " + std::to_string(asked.place->end() - 1) +
                                    ", found it at " + std::to_string(at));
        }
    }

    void expect_error(const Asked& asked, std::uint32_t error) {
        if (error != asked.error)
            complain(asked, "want error " + std::to_string(asked.error) + ", found " +
                                std::to_string(error));
        failures_ += error != 0 && asked.place ? 1 : 0;
    }

    [[nodiscard]] bool is_known(mapping::Extent extent) const {
        return extent.offset >= setting_.own.offset && extent.end() <= setting_.own.end() &&
               std::none_of(unknown_.begin(), unknown_.end(), [&](mapping::Extent each) {
                   return each.offset < extent.end() && extent.offset < each.end();
               });
    }

    void check(const Asked& asked) {
        const bool has_data = asked.request.command == protocol::Command::read && asked.error == 0;
        const std::size_t wanted = has_data ? asked.request.length : 0;
        if (asked.data.size() != wanted)
            complain(asked, "want " + std::to_string(wanted) + " bytes, found " +
                                std::to_string(asked.data.size()));
        else if (has_data && is_known(asked.extent()) &&
                 std::memcmp(asked.data.data(), content(asked.request.offset), wanted) != 0)
            complain(asked, "the data are wrong");
    }

    std::byte* content(std::uint64_t offset) {
        return content_.data() + (offset - setting_.own.offset);
    }

    /// What a write that failed has left is anybody's guess.
    void remember() {
        for (const auto& [cookie, asked] : asked_) {
            const mapping::Extent extent = asked.extent();
            if (!asked.writes() || extent.end() > setting_.size)
                continue;
            if (asked.error != 0) {
                unknown_.push_back(extent);
                continue;
            }
            std::erase_if(unknown_, [&](mapping::Extent each) {
                return each.offset >= extent.offset && each.end() <= extent.end();
            });
            if (asked.request.command == protocol::Command::write)
                std::memcpy(content(extent.offset), noise_.data() + asked.noise, extent.length);
            else
                std::memset(content(extent.offset), 0, extent.length);
        }
    }

    const Setting setting_;
    ScriptedClient client_;
    std::mt19937 random_;
    Bytes noise_;
    Bytes content_; ///< of the own part
    std::vector<mapping::Extent> unknown_;
    std::map<std::uint64_t, Asked> asked_; ///< by cookie
    std::uint64_t cookies_ = 0;
    std::vector<std::string> complaints_;
    unsigned failures_ = 0;
};

} // namespace interposed::tests
