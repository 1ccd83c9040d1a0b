#pragma once

#include "devices/layer.hpp"
#include "mapping/table.hpp"

#include <memory>
#include <vector>

namespace interposed::server {

/// A table over devices, as one layer: finds where an operation's bytes lie, and splits it where
/// it crosses segments. Immutable; any thread may use it.
class TableLayer final : public devices::Layer {
public:
    /// Segment::device of the table is an index into `below`.
    TableLayer(mapping::Table table, std::vector<std::shared_ptr<devices::Layer>> below);

    [[nodiscard]] std::uint64_t size() const override { return table_.size(); }
    [[nodiscard]] const devices::Limits& limits() const override { return limits_; }
    bool try_now(devices::Engine& engine, devices::Operation& operation) override;
    void submit(devices::Engine& engine, devices::Operation& operation) override;
    [[nodiscard]] bool zeroes_fast(mapping::Extent extent, bool no_hole) const override;
    [[nodiscard]] bool may_have_holes() const override;
    [[nodiscard]] bool takes_pipes() const override;
    [[nodiscard]] std::optional<devices::DirectExtent> direct_extent(mapping::Extent extent,
                                                                     bool seen) override;
    [[nodiscard]] std::optional<devices::MappedExtent>
    mapped_extent(mapping::Extent extent, std::chrono::steady_clock::time_point now) override;

    [[nodiscard]] const mapping::Table& table() const { return table_; }

private:
    void submit_split(devices::Engine& engine, devices::Operation& operation, mapping::Extent rest);
    void submit_sync(devices::Engine& engine, devices::Operation& operation);
    void submit_flush(devices::Engine& engine, devices::Operation& operation);

    mapping::Table table_;
    std::vector<std::shared_ptr<devices::Layer>> below_;
    devices::Limits limits_;
};

} // namespace interposed::server
