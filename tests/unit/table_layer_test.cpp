#include "devices/engine.hpp"
#include "server/table_layer.hpp"
#include "tests/support/memory_device.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>

namespace interposed::server {

using devices::Operation;
using devices::OpKind;
using tests::MemoryDevice;

namespace {

/// Two devices under a table of `count` segments of 16 bytes, from one and the other in turn.
struct Striped {
    explicit Striped(std::uint32_t count)
        : first(std::make_shared<MemoryDevice>(count * 16)),
          second(std::make_shared<MemoryDevice>(count * 16)) {
        std::vector<mapping::Segment> segments;
        for (std::uint32_t i = 0; i < count; ++i)
            segments.push_back({.start = i * 16ULL,
                                .length = 16,
                                .device = i % 2,
                                .device_offset = i / 2 * 16ULL});
        layer = std::make_unique<TableLayer>(
            mapping::Table(std::move(segments)),
            std::vector<std::shared_ptr<devices::Layer>>{first, second});
    }

    /// Carries out one operation, which must be answered exactly once.
    void carry_out(Operation& operation) {
        answers = 0;
        operation.done = [](Operation& done) { ++static_cast<Counted&>(done).world->answers; };
        layer->submit(engine, operation);
        CHECK(answers == 1);
    }

    struct Counted : Operation {
        Striped* world = nullptr;
    };
    Counted operation(OpKind kind, mapping::Extent extent) {
        Counted made;
        made.kind = kind;
        made.extent = extent;
        made.world = this;
        return made;
    }

    devices::Engine engine{devices::Engine::Ring::never};
    std::shared_ptr<MemoryDevice> first;
    std::shared_ptr<MemoryDevice> second;
    std::unique_ptr<TableLayer> layer;
    int answers = 0;
};

} // namespace

TEST_CASE("zeroes over thousands of segments are written in steps, and answered once", "[server]") {
    constexpr std::uint32_t count = 3001;
    Striped striped(count);
    std::fill(striped.first->bytes().begin(), striped.first->bytes().end(), std::byte{1});
    std::fill(striped.second->bytes().begin(), striped.second->bytes().end(), std::byte{1});
    auto zeroes = striped.operation(OpKind::write_zeroes, {8, (count - 1) * 16ULL});
    striped.carry_out(zeroes);
    CHECK(zeroes.error == 0);
    const auto ones = [](const MemoryDevice& device) {
        auto& bytes = const_cast<MemoryDevice&>(device).bytes();
        return std::count(bytes.begin(), bytes.end(), std::byte{1});
    };
    // What the table does not map, and eight bytes at either end.
    CHECK(ones(*striped.first) + ones(*striped.second) == count * 16 + 16);
}

TEST_CASE("a step that fails is the last, and tells how far it came", "[server]") {
    constexpr std::uint32_t count = 2000;
    Striped striped(count);
    striped.second->fail_from(500 * 16 + 4, EIO);
    auto zeroes = striped.operation(OpKind::write_zeroes, {0, count * 16ULL});
    striped.carry_out(zeroes);
    CHECK(zeroes.error == EIO);
    CHECK(zeroes.progress == 1001 * 16 + 4);
}

TEST_CASE("block status over thousands of segments tells of the beginning", "[server]") {
    constexpr std::uint32_t count = 2000;
    Striped striped(count);
    auto status = striped.operation(OpKind::block_status, {0, count * 16ULL});
    std::vector<devices::StatusRun> runs;
    status.status = &runs;
    striped.carry_out(status);
    CHECK(status.error == 0);
    std::uint64_t told = 0;
    for (const auto& run : runs)
        told += run.length;
    CHECK(told > 0);
    CHECK(told <= count * 16);
}

TEST_CASE("a stable effect over many segments is one sync for each device it touches", "[server]") {
    Striped world(1000);
    const auto kind = GENERATE(OpKind::trim, OpKind::write_zeroes);
    auto stable = world.operation(kind, {8, 999 * 16});
    stable.fua = true;
    world.carry_out(stable);
    CHECK(stable.error == 0);
    CHECK(world.first->flushes() == 1);
    CHECK(world.second->flushes() == 1);
    CHECK(world.first->stable() == 0);

    auto small = world.operation(kind, {16, 16});
    small.fua = true;
    world.carry_out(small);
    CHECK(world.second->stable() == 1);
    CHECK(world.second->flushes() == 1);
    CHECK(world.first->stable() == 0);
}

TEST_CASE("a stable effect whose sync fails has failed, where it first meets that device",
          "[server]") {
    Striped world(100);
    world.second->fail_flushes(EIO);
    auto stable = world.operation(OpKind::write_zeroes, {0, 100 * 16});
    stable.fua = true;
    world.carry_out(stable);
    CHECK(stable.error == EIO);
    CHECK(stable.progress == 16);
}

} // namespace interposed::server
