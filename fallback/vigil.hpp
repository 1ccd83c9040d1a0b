#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace interposed::fallback {

/// What a guard sees of its volume at one moment.
struct Sight {
    bool leads_here = false;     ///< the volume's table leads to the attached device
    std::string holder;          ///< of the attachment's lease; empty: nobody has it
    std::uint64_t in_flight = 0; ///< requests that the volume has not answered
    std::uint64_t done = 0;      ///< those that it has answered, ever
};

/// Decides when a server is not waited for any longer. Pure.
///
/// Whoever serves an attachment has its lease, so a lease that nobody has is a server that has
/// ended; the next one has it again within seconds. A server that hangs has the lease, and the
/// volume answers nothing; but so it is over a disk that is stuck, and then the server is well. And
/// one that dies of a request, and of the same again whenever it is started, has the lease for a
/// moment now and then.
class Vigil {
public:
    using Clock = std::chrono::steady_clock;
    enum class Verdict : std::uint8_t {
        well,
        suspect, ///< nothing is answered: somebody should ask the server whether it is alive
        dead,
    };

    explicit Vigil(std::chrono::seconds patience) : patience_(patience) {}

    Verdict judge(const Sight& sight, Clock::time_point now);
    /// There is a reason for what was seen: patience begins anew.
    void begin_anew() { *this = Vigil(patience_); }

private:
    std::chrono::seconds patience_;
    std::optional<Clock::time_point> unserved_since_;
    std::optional<Clock::time_point> stuck_since_;
    std::string holder_;         ///< when it was seen last
    bool changed_hands_ = false; ///< the lease, since then
    std::uint64_t done_ = 0;
};

} // namespace interposed::fallback
