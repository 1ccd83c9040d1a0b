#include "bench/slots.hpp"

#include "bench/text.hpp"

#include <cassert>

namespace interposed::bench {

Slots::Slots(std::size_t depth) : slots_(depth), free_(depth) {
    assert(depth > 0 && depth <= (std::size_t{1} << index_bits));
    for (std::size_t index = 0; index < depth; ++index)
        free_[index] = index;
}

std::size_t Slots::take() {
    assert(!full());
    const std::size_t index = free_[next_];
    next_ = next_ + 1 == free_.size() ? 0 : next_ + 1;
    ++in_flight_;
    slots_[index] = Slot{};
    slots_[index].cookie = (++turn_ << index_bits) | index;
    slots_[index].in_flight = true;
    return index;
}

std::size_t Slots::find(std::uint64_t cookie) const {
    const std::size_t index = cookie & ((std::uint64_t{1} << index_bits) - 1);
    if (index >= slots_.size() || !slots_[index].in_flight || slots_[index].cookie != cookie)
        throw ProtocolError("reply: no request with cookie " + hex(cookie) + " is in flight");
    return index;
}

void Slots::free(std::size_t index) {
    assert(slots_[index].in_flight);
    slots_[index].in_flight = false;
    free_[(next_ + slots_.size() - in_flight_) % slots_.size()] = index;
    --in_flight_;
}

} // namespace interposed::bench
