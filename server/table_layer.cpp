#include "server/table_layer.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <functional>
#include <new>

namespace interposed::server {

namespace {

using devices::Engine;
using devices::Layer;
using devices::Limits;
using devices::Operation;
using devices::OpKind;
using mapping::Extent;
using mapping::Piece;

/// A block status may ask for terabytes; an answer to the beginning of it is an answer.
constexpr std::size_t max_status_pieces = 64;
/// More than a session will tell its client at once.
constexpr std::size_t max_status_runs = 16384;
/// A trim of terabytes over a hundred thousand segments is carried out in steps of so many parts.
constexpr std::size_t max_effect_pieces = 256;

/// What holds for every layer below, so that no request that passes it is refused further down.
Limits common_limits(const std::vector<std::shared_ptr<Layer>>& below) {
    Limits all;
    for (const auto& layer : below) {
        const Limits& one = layer->limits();
        all.minimum_block = std::max(all.minimum_block, one.minimum_block);
        all.preferred_block = std::max(all.preferred_block, one.preferred_block);
        all.buffer_alignment = std::max(all.buffer_alignment, one.buffer_alignment);
        all.rotational = all.rotational || one.rotational;
    }
    return all;
}

/// An operation in several parts. Lives until the last of them is done, then answers for all.
class Split {
public:
    struct Part : Operation {
        Split* whole = nullptr;
        Layer* layer = nullptr;
        std::uint64_t at = 0; ///< where it begins in the whole, bytes
        std::vector<devices::StatusRun> runs;
    };

    /// `fua`: each part is to be stable by itself.
    Split(Operation& whole, bool fua) : whole_(whole), fua_(fua) {}

    void add(Layer& layer, Extent extent, std::uint64_t at) {
        Part& part = parts_.emplace_back();
        part.kind = whole_.kind;
        part.fua = fua_;
        part.no_hole = whole_.no_hole;
        part.fast = whole_.fast;
        part.extent = extent;
        part.data = whole_.data == nullptr ? nullptr : whole_.data + at;
        part.layer = &layer;
        part.at = at;
    }

    /// `at` is where the operation first meets the layer.
    void add_flush(Layer& layer, std::uint64_t at = 0) {
        Part& part = parts_.emplace_back();
        part.kind = OpKind::flush;
        part.layer = &layer;
        part.at = at;
    }

    [[nodiscard]] std::size_t size() const { return parts_.size(); }

    /// What is to be done instead of answering, once all parts have succeeded.
    void and_then(std::function<void()> next) { next_ = std::move(next); }

    /// Gives itself away: the last part to be done deletes it.
    static void start(std::unique_ptr<Split> split, Engine& engine) {
        Split* self = split.release();
        self->left_ = self->parts_.size() + 1; // one for this loop, which reads parts_
        for (Part& part : self->parts_) {
            part.whole = self;
            part.done = [](Operation& done) { static_cast<Part&>(done).whole->part_done(); };
            part.status = &part.runs;
            part.layer->submit(engine, part);
        }
        self->part_done();
    }

private:
    void part_done() {
        if (left_.fetch_sub(1, std::memory_order_acq_rel) != 1)
            return;
        const std::unique_ptr<Split> self(this);
        const auto failed = std::find_if(parts_.begin(), parts_.end(),
                                         [](const Part& part) { return part.error != 0; });
        if (whole_.kind == OpKind::block_status)
            join_status();
        const bool ok = failed == parts_.end();
        if (ok && next_) {
            go_on();
            return;
        }
        whole_.progress = ok ? whole_.extent.length : failed->at + failed->progress;
        whole_.complete(ok ? 0 : failed->error);
    }

    void go_on() {
        try {
            next_();
        } catch (const std::bad_alloc&) {
            whole_.complete(ENOMEM);
        }
    }

    /// The runs of one part follow those of the one before, as long as that was told of whole.
    void join_status() {
        for (const Part& part : parts_) {
            std::uint64_t told = 0;
            for (const devices::StatusRun& run : part.runs)
                told += run.length;
            whole_.status->insert(whole_.status->end(), part.runs.begin(), part.runs.end());
            if (told < part.extent.length || whole_.status->size() >= max_status_runs)
                break;
        }
    }

    Operation& whole_;
    const bool fua_;
    std::vector<Part> parts_;
    std::function<void()> next_;
    std::atomic<std::size_t> left_{0};
};

} // namespace

TableLayer::TableLayer(mapping::Table table, std::vector<std::shared_ptr<Layer>> below)
    : table_(std::move(table)), below_(std::move(below)), limits_(common_limits(below_)) {}

bool TableLayer::try_now(Engine& engine, Operation& operation) {
    const Extent all = operation.extent;
    std::byte* const data = operation.data;
    std::uint64_t done = 0;
    bool now = true;
    operation.error = 0;
    while (now && operation.error == 0 && done < all.length) {
        const Piece piece = table_.first_piece({all.offset + done, all.length - done});
        operation.extent = piece.extent;
        operation.data = data + done;
        operation.progress = 0;
        now = below_[piece.device]->try_now(engine, operation);
        if (now)
            done += operation.error == 0 ? piece.extent.length : operation.progress;
    }
    operation.extent = all;
    operation.data = data;
    // What was done before a part had to wait is done again: reads and writes can be repeated,
    // but for what was taken out of a pipe.
    operation.progress = now || operation.pipe >= 0 ? done : 0;
    return now;
}

void TableLayer::submit(Engine& engine, Operation& operation) {
    operation.progress = 0;
    if (operation.kind == OpKind::flush) {
        submit_flush(engine, operation);
        return;
    }
    const Piece piece = table_.first_piece(operation.extent);
    if (piece.extent.length < operation.extent.length) {
        submit_split(engine, operation, operation.extent);
        return;
    }
    operation.extent = piece.extent;
    below_[piece.device]->submit(engine, operation);
}

bool TableLayer::zeroes_fast(Extent extent, bool no_hole) const {
    const auto whole_layer = [no_hole](const auto& layer) {
        return layer->zeroes_fast({0, layer->size()}, no_hole);
    };
    if (std::all_of(below_.begin(), below_.end(), whole_layer))
        return true;
    for (Extent rest = extent; rest.length > 0;) {
        const Piece piece = table_.first_piece(rest);
        if (!below_[piece.device]->zeroes_fast(piece.extent, no_hole))
            return false;
        rest = {rest.offset + piece.extent.length, rest.length - piece.extent.length};
    }
    return true;
}

bool TableLayer::may_have_holes() const {
    return std::any_of(below_.begin(), below_.end(),
                       [](const auto& layer) { return layer->may_have_holes(); });
}

bool TableLayer::takes_pipes() const {
    return std::all_of(below_.begin(), below_.end(),
                       [](const auto& layer) { return layer->takes_pipes(); });
}

std::optional<devices::DirectExtent> TableLayer::direct_extent(Extent extent, bool seen) {
    const Piece piece = table_.first_piece(extent);
    return below_[piece.device]->direct_extent(piece.extent, seen);
}

std::optional<devices::MappedExtent>
TableLayer::mapped_extent(Extent extent, std::chrono::steady_clock::time_point now) {
    const Piece piece = table_.first_piece(extent);
    return below_[piece.device]->mapped_extent(piece.extent, now);
}

/// `rest` is what is left of the operation's extent.
void TableLayer::submit_split(Engine& engine, Operation& operation, Extent rest) {
    const bool effect_only = operation.kind == OpKind::trim ||
                             operation.kind == OpKind::write_zeroes ||
                             operation.kind == OpKind::cache;
    // A sync for each segment could be thousands: at the end there is one for each device.
    const bool sync_at_end = effect_only && operation.fua;
    auto split = std::make_unique<Split>(operation, operation.fua && !sync_at_end);
    const std::size_t most = operation.kind == OpKind::block_status ? max_status_pieces
                             : effect_only                          ? max_effect_pieces
                                                                    : table_.segments().size();
    while (rest.length > 0 && split->size() < most) {
        const Piece piece = table_.first_piece(rest);
        split->add(*below_[piece.device], piece.extent, rest.offset - operation.extent.offset);
        rest = {rest.offset + piece.extent.length, rest.length - piece.extent.length};
    }
    // From whatever thread: none of these kinds goes through the engine.
    if (effect_only && rest.length > 0)
        split->and_then(
            [this, &engine, &operation, rest] { submit_split(engine, operation, rest); });
    else if (sync_at_end)
        split->and_then([this, &engine, &operation] { submit_sync(engine, operation); });
    Split::start(std::move(split), engine);
}

/// Makes stable what has been done to the operation's range: one flush for each device.
void TableLayer::submit_sync(Engine& engine, Operation& operation) {
    std::vector<bool> touched(below_.size());
    auto split = std::make_unique<Split>(operation, false);
    for (Extent rest = operation.extent; rest.length > 0;) {
        const Piece piece = table_.first_piece(rest);
        if (!touched[piece.device])
            split->add_flush(*below_[piece.device], rest.offset - operation.extent.offset);
        touched[piece.device] = true;
        rest = {rest.offset + piece.extent.length, rest.length - piece.extent.length};
    }
    Split::start(std::move(split), engine);
}

void TableLayer::submit_flush(Engine& engine, Operation& operation) {
    if (below_.size() == 1) {
        below_.front()->submit(engine, operation);
        return;
    }
    auto split = std::make_unique<Split>(operation, false);
    for (const auto& layer : below_)
        split->add_flush(*layer);
    Split::start(std::move(split), engine);
}

} // namespace interposed::server
