#pragma once

#include "server/export_set.hpp"
#include "server/loop.hpp"
#include "tests/fuzz/watched_device.hpp"

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace interposed::fuzz {

/// What the targets serve: a few exports over devices in memory, and who is the client. Made once
/// and put back to how it was before each input.
struct World {
    World() {
        peer.name = "fuzzer";
        peer.address.emplace();
        peer.address->address[0] = 10;
        peer.address->prefix_length = 32;
    }

    // Segments begin and end within the devices, so that there are bytes on all sides of them.
    static constexpr std::uint64_t disk_part = 6000;
    static constexpr std::uint64_t large_size = std::uint64_t{320} << 10; ///< some writes stream
    std::shared_ptr<WatchedDevice> first = std::make_shared<WatchedDevice>(8192);
    std::shared_ptr<WatchedDevice> second = std::make_shared<WatchedDevice>(8192);
    std::shared_ptr<WatchedDevice> large = std::make_shared<WatchedDevice>(
        large_size + 1024, devices::Limits{}, mapping::Extent{70000, 90000});
    std::shared_ptr<WatchedDevice> blocks = std::make_shared<WatchedDevice>(
        8192, devices::Limits{.minimum_block = 512, .rotational = true});
    std::shared_ptr<WatchedDevice> untouched = std::make_shared<WatchedDevice>(8192);

    server::Peer peer;
    server::ExportSet exports{{
        made("disk", {{first, 1000, disk_part}, {second, 2192, disk_part}}),
        made("ro", {{untouched, 0, 4096}}, [](auto& made) { made.read_only = true; }),
        made("large", {{large, 512, large_size}}),
        made("blocks", {{blocks, 4096, 2048}, {blocks, 512, 1024}},
             [](auto& made) { made.description = "whole blocks only"; }),
        made("hidden", {{untouched, 4096, 4096}},
             [](auto& made) { made.access = only_from("127.0.0.0/8"); }),
    }};

    /// Bytes outside the segments, and all of what nobody may write to, are as they were.
    void check() const {
        first->require_unchanged({0, 1000});
        first->require_unchanged({7000, 1192});
        second->require_unchanged({0, 2192});
        large->require_unchanged({0, 512});
        large->require_unchanged({512 + large_size, 512});
        blocks->require_unchanged({0, 512});
        blocks->require_unchanged({1536, 2560});
        blocks->require_unchanged({6144, 2048});
        untouched->require_unchanged({0, untouched->size()});
    }

    [[nodiscard]] std::array<WatchedDevice*, 5> devices() const {
        return {first.get(), second.get(), large.get(), blocks.get(), untouched.get()};
    }

private:
    struct Part {
        std::shared_ptr<WatchedDevice> device;
        std::uint64_t offset;
        std::uint64_t length;
    };

    static server::AccessPointer only_from(const char* range) {
        config::AccessRule rule{.address = config::parse_range(range)};
        return std::make_shared<server::AccessList>(
            std::vector<server::AccessList::Rule>{{.source = std::move(rule)}});
    }

    static std::shared_ptr<const server::Export> made(
        const std::string& name, const std::vector<Part>& parts,
        void (*change)(server::Export&) = [](server::Export&) {}) {
        auto made = std::make_shared<server::Export>();
        std::vector<mapping::Segment> segments;
        std::vector<std::shared_ptr<devices::Layer>> below;
        std::uint64_t start = 0;
        for (const Part& part : parts) {
            segments.push_back({.start = start,
                                .length = part.length,
                                .device = static_cast<std::uint32_t>(below.size()),
                                .device_offset = part.offset});
            start += part.length;
            made->devices.push_back("memory " + std::to_string(below.size()));
            below.push_back(part.device);
        }
        made->name = name;
        made->table = std::make_shared<server::TableLayer>(mapping::Table(std::move(segments)),
                                                           std::move(below));
        change(*made);
        return made;
    }
};

} // namespace interposed::fuzz
