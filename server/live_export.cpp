#include "server/live_export.hpp"

#include "server/request_meter.hpp"

#include <utility>

namespace interposed::server {

Terms Terms::of(const Export& made) {
    return {.size = made.size(),
            .minimum_block = made.layer().limits().minimum_block,
            .read_only = made.read_only};
}

std::string Terms::why_not(const Terms& after) const {
    if (after.size < size)
        return "want at least the " + std::to_string(size) +
               " bytes that its clients know of, found " + std::to_string(after.size);
    if (after.minimum_block > minimum_block)
        return "want a minimum block size of at most the " + std::to_string(minimum_block) +
               " bytes that its clients know of, found " + std::to_string(after.minimum_block);
    if (after.read_only && !read_only)
        return "want it writable, as its clients know it, found it read-only";
    return {};
}

std::shared_ptr<const Export> LiveExport::now() const {
    const std::lock_guard lock(mutex_);
    return now_;
}

unsigned LiveExport::connections() const {
    const std::lock_guard lock(mutex_);
    return seats_;
}

std::uint64_t LiveExport::in_flight() const {
    const std::lock_guard lock(mutex_);
    std::uint64_t sum = 0;
    for (const Guest* guest : guests_)
        sum += guest->in_flight();
    return sum;
}

LiveExport::Admitted LiveExport::admit(const Terms& offered, Entitled entitled) {
    auto place = std::make_unique<Seat>(shared_from_this(), offered);
    const std::lock_guard lock(mutex_);
    if (draining_ && entitled == Entitled::no)
        return {.answer = Admission::draining, .seat = nullptr};
    if (entitled == Entitled::no && now_->max_connections && seats_ >= *now_->max_connections)
        return {.answer = Admission::full, .seat = nullptr};
    ++seats_; // which the seat gives back
    place->taken_ = true;
    if (now_->statistics)
        ++now_->statistics->connections_ever;
    return {.answer = Admission::yes, .seat = std::move(place)};
}

void LiveExport::drain(bool on) {
    const std::lock_guard lock(mutex_);
    draining_ = on;
}

bool LiveExport::draining() const {
    const std::lock_guard lock(mutex_);
    return draining_;
}

bool LiveExport::held() const {
    const std::lock_guard lock(mutex_);
    return held_;
}

std::vector<std::string> LiveExport::waiting_for() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> names;
    for (const Guest* guest : round_.waiting)
        names.push_back(guest->description());
    return names;
}

std::shared_ptr<const Export> LiveExport::replace(std::shared_ptr<const Export> by) {
    const std::lock_guard lock(mutex_);
    return std::exchange(now_, std::move(by));
}

std::shared_ptr<const Export> LiveExport::loaded() const {
    const std::lock_guard lock(mutex_);
    return loaded_;
}

std::shared_ptr<const Export> LiveExport::load(std::shared_ptr<const Export> next) {
    const std::lock_guard lock(mutex_);
    return std::exchange(loaded_, std::move(next));
}

void LiveExport::hold(std::function<void()> all_quiet) {
    ask_all(std::move(all_quiet), true,
            [](Guest& guest, std::function<void()> answer) { guest.hold(std::move(answer)); });
}

void LiveExport::go_on(std::function<void()> all_went_on) {
    ask_all(std::move(all_went_on), false, [this](Guest& guest, std::function<void()> answer) {
        guest.go_on(now_, std::move(answer));
    });
}

/// Takes the place of a round that was not finished, which then never is.
template <typename Ask>
void LiveExport::ask_all(std::function<void()> done, bool held, Ask ask) {
    {
        const std::lock_guard lock(mutex_);
        held_ = held;
        const std::uint64_t number = ++round_.number;
        round_.waiting.insert(guests_.begin(), guests_.end());
        for (Guest* guest : guests_)
            ask(*guest,
                [self = shared_from_this(), number, guest] { self->answered(number, *guest); });
        if (!round_.waiting.empty()) {
            round_.done = std::move(done);
            return;
        }
    }
    done();
}

void LiveExport::answered(std::uint64_t round, const Guest& guest) {
    std::function<void()> done;
    {
        const std::lock_guard lock(mutex_);
        if (round == round_.number)
            done = take_answer(guest);
    }
    if (done)
        done();
}

/// With the mutex held. What is to be called, without it, if this was the last answer.
std::function<void()> LiveExport::take_answer(const Guest& guest) {
    const bool waited_for = round_.waiting.erase(&guest) > 0;
    return waited_for && round_.waiting.empty() ? std::exchange(round_.done, nullptr) : nullptr;
}

LiveExport::Arrival LiveExport::begin(Guest& guest) {
    const std::lock_guard lock(mutex_);
    guests_.insert(&guest);
    return {now_, held_};
}

void LiveExport::end(Guest& guest) {
    std::function<void()> done;
    {
        const std::lock_guard lock(mutex_);
        guests_.erase(&guest);
        done = take_answer(guest);
    }
    if (done)
        done();
}

void LiveExport::leave() {
    std::vector<std::function<void()>> told;
    {
        const std::lock_guard lock(mutex_);
        if (--seats_ == 0)
            told.swap(when_empty_);
    }
    for (const auto& then : told)
        then();
}

void LiveExport::when_empty(std::function<void()> then) {
    {
        const std::lock_guard lock(mutex_);
        if (seats_ > 0) {
            when_empty_.push_back(std::move(then));
            return;
        }
    }
    then();
}

LiveExport::Seat::~Seat() {
    end();
    if (taken_)
        at_->leave();
}

LiveExport::Seat::Start LiveExport::Seat::begin(Guest& guest) {
    const Arrival arrival = at_->begin(guest);
    guest_ = &guest;
    if (!offered_.why_not(Terms::of(*arrival.now)).empty())
        return {};
    return {.now = arrival.now, .held = arrival.held};
}

void LiveExport::Seat::end() {
    if (guest_ != nullptr)
        at_->end(*std::exchange(guest_, nullptr));
}

} // namespace interposed::server
