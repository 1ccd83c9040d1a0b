#include "devices/registry.hpp"

#include "devices/claim_checks.hpp"
#include "devices/device.hpp"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace interposed::devices {

namespace {

/// One device that is open, or being opened or closed.
struct Entry {
    std::unique_ptr<Device> device; ///< null while it is being opened or closed
    std::vector<std::string> users; ///< the export of each who has joined
    std::string busy_for;           ///< the export it is opened, raised or closed for just now
    bool busy = false;
};

using Entries = std::map<DeviceIdentity, Entry>;

/// A description that an io_uring or a request still refers to is closed by the kernel a little
/// after us (a ring's file table: up to a second on Linux 6.1), and holds the claim until then.
constexpr std::chrono::seconds settling_time{3};
constexpr std::chrono::milliseconds settling_step{5};

using Clock = std::chrono::steady_clock;

std::string by_export(const std::string& user) {
    return " by export \"" + user + "\"";
}

std::string for_export(const Registry::Wish& wish) {
    return " for export \"" + wish.user + "\"";
}

/// Claims a device that nobody here has open any more. Until `settled`, busy may mean our own last
/// claim; the same claim, exclusive or not, is then tried again.
Claim take_claim(const DeviceInfo& info, const Registry::Wish& wish, Clock::time_point settled) {
    for (;;) {
        try {
            return Claim::take(info, wish.claim, wish.access, wish.cache);
        } catch (const DeviceBusy&) {
            if (Clock::now() >= settled)
                throw;
        }
        std::this_thread::sleep_for(settling_step);
    }
}

/// One device has one claim, one cache mode and one size, whoever uses it. Each is compared by
/// itself: it is not enough that some of them agree.
void check_terms(const Entry& entry, const DeviceInfo& info, const Registry::Wish& wish) {
    const Claim& claim = entry.device->claim();
    const std::string other = by_export(entry.users.front());
    if (wish.claim != entry.device->claim_mode())
        refuse(info, std::string("\"claim\": \"") + to_string(wish.claim) + "\"" +
                         for_export(wish) + ", found it claimed \"" +
                         to_string(entry.device->claim_mode()) + "\"" + other);
    if (wish.cache != claim.cache())
        refuse(info, std::string("\"cache\": \"") + to_string(wish.cache) + "\"" +
                         for_export(wish) + ", found it open \"" + to_string(claim.cache()) + "\"" +
                         other);
}

} // namespace

struct Registry::State {
    class Reservation;
    class Change;

    const std::chrono::milliseconds patience;
    mutable std::mutex mutex;
    std::condition_variable changed;
    Device::FlushFailed flush_failed;
    Entries entries;
    std::map<DeviceIdentity, Clock::time_point> settled; ///< for disks closed lately: until when
                                                         ///< a claim of ours may linger on them

    explicit State(std::chrono::milliseconds wait) : patience(wait) {}

    /// The entry, once nobody works on it. The reference lasts until the mutex is given up.
    Entry& wait_for_entry(std::unique_lock<std::mutex>& lock, const DeviceInfo& info,
                          const Wish& wish);
    void open_device(std::unique_lock<std::mutex>& lock, Entry& entry, const DeviceInfo& info,
                     const Wish& wish);
    void raise(std::unique_lock<std::mutex>& lock, Entry& entry, const Wish& wish);
    void leave(const DeviceIdentity& identity, const std::string& user);
    void remember_closing(const DeviceIdentity& medium);
};

/// Opening and closing can take long, so they are done without the mutex and hold up nobody but
/// those who want the same device: while this lives the entry is busy and the mutex is free.
class Registry::State::Reservation {
public:
    Reservation(State& state, std::unique_lock<std::mutex>& lock, Entry& entry, std::string user)
        : state_(state), lock_(lock), entry_(entry) {
        entry_.busy = true;
        entry_.busy_for = std::move(user);
        lock_.unlock();
    }
    Reservation(const Reservation&) = delete;
    Reservation& operator=(const Reservation&) = delete;
    ~Reservation() {
        lock_.lock();
        entry_.busy = false;
        state_.changed.notify_all();
    }

private:
    State& state_;
    std::unique_lock<std::mutex>& lock_;
    Entry& entry_;
};

/// One user's part in a device. The last to leave closes it; until it is really closed the entry
/// stays, so that whoever wants it again waits instead of being refused because of ourselves.
class Registry::Membership {
public:
    Membership(std::shared_ptr<State> state, const DeviceIdentity& identity, std::string user)
        : state_(std::move(state)), identity_(identity), user_(std::move(user)) {}
    Membership(const Membership&) = delete;
    Membership& operator=(const Membership&) = delete;
    ~Membership() {
        if (joined_)
            state_->leave(identity_, user_);
    }
    void join(Entry& entry) {
        entry.users.push_back(user_);
        joined_ = true;
    }

private:
    std::shared_ptr<State> state_;
    DeviceIdentity identity_;
    std::string user_;
    bool joined_ = false;
};

Entry& Registry::State::wait_for_entry(std::unique_lock<std::mutex>& lock, const DeviceInfo& info,
                                       const Wish& wish) {
    const auto is_free = [&] {
        const auto found = entries.find(info.identity);
        return found == entries.end() || !found->second.busy;
    };
    if (!changed.wait_for(lock, patience, is_free))
        refuse(info, std::string("it") + for_export(wish) +
                         ", found it still being opened or closed" +
                         by_export(entries.at(info.identity).busy_for));
    return entries[info.identity];
}

void Registry::State::open_device(std::unique_lock<std::mutex>& lock, Entry& entry,
                                  const DeviceInfo& info, const Wish& wish) {
    const auto closed = settled.find(info.place.medium);
    Clock::time_point until = Clock::now() + wish.patience;
    if (closed != settled.end())
        until = std::max(until, closed->second);
    std::unique_ptr<Device> device;
    {
        const Reservation reserved(*this, lock, entry, wish.user);
        Claim claim = take_claim(info, wish, until);
        device = std::make_unique<Device>(info, std::move(claim), flush_failed);
    }
    entry.device = std::move(device);
}

void Registry::State::raise(std::unique_lock<std::mutex>& lock, Entry& entry, const Wish& wish) {
    const Reservation reserved(*this, lock, entry, wish.user);
    entry.device->raise_to_read_write();
}

void Registry::State::leave(const DeviceIdentity& identity, const std::string& user) {
    std::unique_lock lock(mutex);
    Entry& entry = entries.at(identity);
    entry.users.erase(std::find(entry.users.begin(), entry.users.end(), user));
    if (!entry.users.empty())
        return;
    if (entry.device) {
        const DeviceIdentity medium = entry.device->info().place.medium;
        {
            const Reservation reserved(*this, lock, entry, user);
            entry.device.reset();
        }
        remember_closing(medium);
    }
    entries.erase(identity); // the mutex has been held since the reservation ended
}

void Registry::State::remember_closing(const DeviceIdentity& medium) {
    const auto now = Clock::now();
    std::erase_if(settled, [&](const auto& closed) { return closed.second <= now; });
    settled[medium] = now + settling_time;
}

Registry::Registry(std::chrono::milliseconds patience)
    : state_(std::make_shared<State>(patience)) {}

Registry::~Registry() = default;

std::shared_ptr<Device> Registry::open(const DeviceInfo& info, const Wish& wish) {
    // Before the lock, and so destroyed after it: leaving takes the mutex.
    const auto member = std::make_shared<Membership>(state_, info.identity, wish.user);
    std::unique_lock lock(state_->mutex);
    Entry& entry = state_->wait_for_entry(lock, info, wish);
    member->join(entry);
    if (!entry.device)
        state_->open_device(lock, entry, info, wish);
    else
        check_terms(entry, info, wish);
    entry.device->grow_to(info.size);
    if (wish.access == Access::read_write && entry.device->claim().access() == Access::read_only)
        state_->raise(lock, entry, wish);
    return {member, entry.device.get()};
}

/// The entries of its devices are busy from its beginning to its end.
class Registry::State::Change final : public Registry::ClaimChange {
public:
    Change(std::shared_ptr<State> state, std::vector<std::shared_ptr<Device>> devices,
           ClaimMode mode, std::string user)
        : state_(std::move(state)), devices_(std::move(devices)), mode_(mode),
          user_(std::move(user)) {
        std::erase_if(devices_, [mode](const auto& each) { return each->claim_mode() == mode; });
        reserve();
    }
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;
    ~Change() override { end(); }

    void prepare() {
        for (const auto& device : devices_)
            changes_.push_back(device->prepare_claim(mode_));
    }
    void apply() noexcept override {
        for (std::size_t i = 0; i < devices_.size(); ++i)
            devices_[i]->apply_claim(*changes_[i]);
    }
    bool close() override {
        changes_.clear();
        const Clock::time_point deadline = Clock::now() + settling_time;
        const auto is_free = [this](const std::shared_ptr<Device>& device) {
            return device->claim_mode() != ClaimMode::shared || device->claim().is_claimable();
        };
        bool all_free = false;
        while (!(all_free = std::all_of(devices_.begin(), devices_.end(), is_free)) &&
               Clock::now() < deadline)
            std::this_thread::sleep_for(settling_step);
        if (!all_free)
            remember_closing();
        end();
        return all_free;
    }

private:
    [[nodiscard]] Entry& entry_of(const std::shared_ptr<Device>& device) const {
        return state_->entries.at(device->info().identity); // there is one while we have the device
    }

    void reserve() {
        std::unique_lock lock(state_->mutex);
        const auto is_busy = [this](const auto& device) { return entry_of(device).busy; };
        const auto are_free = [&] {
            return std::none_of(devices_.begin(), devices_.end(), is_busy);
        };
        if (!state_->changed.wait_for(lock, state_->patience, are_free))
            throw ClaimError("the devices of export \"" + user_ +
                             "\" are still being opened or closed");
        for (const auto& device : devices_)
            check_users(device->info(), entry_of(device));
        for (const auto& device : devices_) {
            entry_of(device).busy = true;
            entry_of(device).busy_for = user_;
        }
        reserved_ = true;
    }

    /// All users of a device have the same claim on it.
    void check_users(const DeviceInfo& info, const Entry& entry) const {
        for (const std::string& other : entry.users) {
            if (other != user_)
                refuse(info, "it for export \"" + user_ + "\" alone, to have it " +
                                 to_string(mode_) + ", found it used" + by_export(other));
        }
    }

    void remember_closing() {
        const std::lock_guard lock(state_->mutex);
        for (const auto& device : devices_)
            state_->remember_closing(device->info().place.medium);
    }

    void end() {
        changes_.clear();
        if (!reserved_)
            return;
        reserved_ = false;
        {
            const std::lock_guard lock(state_->mutex);
            for (const auto& device : devices_)
                entry_of(device).busy = false;
            state_->changed.notify_all();
        }
        devices_.clear(); // takes the mutex, if nobody else has them any more
    }

    std::shared_ptr<State> state_;
    std::vector<std::shared_ptr<Device>> devices_;
    ClaimMode mode_;
    std::string user_;
    bool reserved_ = false;
    std::vector<std::unique_ptr<Device::ClaimChange>> changes_;
};

std::unique_ptr<Registry::ClaimChange>
Registry::prepare_claims(std::vector<std::shared_ptr<Device>> devices, ClaimMode mode,
                         const std::string& user) {
    auto change = std::make_unique<State::Change>(state_, std::move(devices), mode, user);
    change->prepare();
    return change;
}

void Registry::on_flush_failed(std::function<void(const DeviceInfo&, int error)> failed) {
    state_->flush_failed = std::move(failed);
}

std::size_t Registry::size() const {
    const std::lock_guard lock(state_->mutex);
    return state_->entries.size();
}

} // namespace interposed::devices
