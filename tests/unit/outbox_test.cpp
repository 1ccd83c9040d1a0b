#include "server/outbox.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cstring>
#include <string>

namespace interposed::server {

namespace {

void put(Outbox& outbox, const std::string& text) {
    std::memcpy(outbox.reserve(text.size()), text.data(), text.size());
    outbox.commit(text.size());
}

std::string gathered(const Outbox& outbox) {
    std::array<iovec, 64> parts{};
    const std::size_t count = outbox.gather(parts).count;
    std::string all;
    for (std::size_t i = 0; i < count; ++i)
        all.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
    return all;
}

struct CountingOwner final : Outbox::Owner {
    void sent() override { ++times; }
    int times = 0;
};

} // namespace

TEST_CASE("replies leave in the order they came, in one part while they touch", "[server]") {
    BufferPool buffers;
    Outbox outbox(buffers);
    put(outbox, "one ");
    put(outbox, "two");
    std::array<iovec, 4> parts{};
    CHECK(outbox.gather(parts).count == 1);
    CHECK(gathered(outbox) == "one two");
    CHECK(outbox.bytes() == 7);
}

TEST_CASE("bytes of the export are gathered as far as they are found", "[server]") {
    BufferPool buffers;
    Outbox outbox(buffers);
    const std::string disk = "0123456789";
    put(outbox, "head ");
    outbox.add(mapping::Extent{2, 6});
    put(outbox, " tail");
    const auto gathered = [&](std::size_t in_one, std::size_t limit) {
        std::array<iovec, 64> parts{};
        std::string all;
        const auto [count, more] = outbox.gather(std::span(parts), [&](mapping::Extent wanted) {
            const std::size_t end = std::min(limit, disk.size());
            const std::size_t there = wanted.offset < end ? end - wanted.offset : 0;
            const auto length = std::min<std::size_t>({wanted.length, in_one, there});
            return std::as_bytes(std::span(disk)).subspan(there > 0 ? wanted.offset : 0, length);
        });
        for (std::size_t i = 0; i < count; ++i)
            all.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
        return all + (more ? "..." : "");
    };
    CHECK(gathered(10, 10) == "head 234567 tail");
    CHECK(gathered(4, 10) == "head 234567 tail"); // two segments
    CHECK(gathered(4, 6) == "head 2345...");      // only the first of them
    CHECK(gathered(4, 0) == "head ...");
    outbox.consume(7);
    CHECK(gathered(10, 10) == "4567 tail");
    CHECK(outbox.front_extent()->offset == 4);
}

TEST_CASE("a part that lies elsewhere keeps its place among the others", "[server]") {
    BufferPool buffers;
    Outbox outbox(buffers);
    CountingOwner owner;
    const std::string elsewhere = "<data>";
    put(outbox, "head");
    outbox.add(std::as_bytes(std::span(elsewhere)), &owner);
    put(outbox, "tail");
    CHECK(gathered(outbox) == "head<data>tail");
    outbox.consume(5);
    CHECK(gathered(outbox) == "data>tail");
    CHECK(owner.times == 0);
    outbox.consume(4);
    CHECK(owner.times == 0);
    outbox.consume(1);
    CHECK(owner.times == 1);
    CHECK(gathered(outbox) == "tail");
}

TEST_CASE("bytes of the export wait for their turn, and can be filled in step by step",
          "[server]") {
    BufferPool buffers;
    Outbox outbox(buffers);
    CountingOwner owner;
    put(outbox, "head");
    outbox.add(mapping::Extent{1000, 10});
    put(outbox, "tail");
    CHECK(gathered(outbox) == "head");
    CHECK_FALSE(outbox.front_extent());
    outbox.consume(4);
    CHECK(outbox.front_extent() == mapping::Extent{1000, 10});
    outbox.consume(3);
    CHECK(outbox.front_extent() == mapping::Extent{1003, 7});
    const std::string first = "abcd";
    outbox.fill_front(std::as_bytes(std::span(first)), &owner);
    CHECK(gathered(outbox) == "abcd");
    outbox.consume(4);
    CHECK(owner.times == 1);
    CHECK(outbox.front_extent() == mapping::Extent{1007, 3});
    const std::string last = "xyz";
    outbox.fill_front(std::as_bytes(std::span(last)), &owner);
    CHECK(gathered(outbox) == "xyztail");
    outbox.consume(7);
    CHECK(owner.times == 2);
    CHECK(outbox.empty());
}

TEST_CASE("dropping tells every owner once", "[server]") {
    BufferPool buffers;
    Outbox outbox(buffers);
    CountingOwner owner;
    const std::string elsewhere = "x";
    outbox.add(std::as_bytes(std::span(elsewhere)), &owner);
    outbox.add(std::as_bytes(std::span(elsewhere)), nullptr);
    outbox.drop();
    CHECK(outbox.empty());
    CHECK(owner.times == 1);
    outbox.drop();
    CHECK(owner.times == 1);
}

TEST_CASE("what fills many blocks, partly sent in odd steps, comes out unchanged", "[server]") {
    BufferPool buffers;
    Outbox outbox(buffers);
    std::string want;
    std::string got;
    unsigned step = 1;
    const auto send_some = [&](std::size_t most) {
        const std::string now = gathered(outbox).substr(0, most);
        got += now;
        outbox.consume(now.size());
    };
    for (unsigned i = 0; i < 400; ++i) {
        const std::string text(1 + (i * 7919) % 9000, static_cast<char>('a' + i % 26));
        want += text;
        put(outbox, text);
        step = step * 31 % 12007;
        send_some(step);
    }
    while (!outbox.empty())
        send_some(5000);
    CHECK(got == want);
}

} // namespace interposed::server
