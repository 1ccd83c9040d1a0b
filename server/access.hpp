#pragma once

#include "config/config.hpp"
#include "server/peer.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

/// Who may do what. Of the rules that match a client the most generous counts: who proves more of
/// himself never gets less, and nobody gains by keeping something back.
namespace interposed::server {

/// The rules of an export or of a listener, with the numbers of their users and groups. Immutable.
class AccessList {
public:
    struct Rule {
        config::AccessRule source;
        std::optional<uid_t> user{};
        std::optional<gid_t> group{};

        friend bool operator==(const Rule&, const Rule&) = default;
    };

    explicit AccessList(std::vector<Rule> rules) : rules_(std::move(rules)) {}

    /// What this client may do: nothing, unless there is a rule for it.
    [[nodiscard]] config::Access of(const Peer& peer) const;

    [[nodiscard]] const std::vector<Rule>& rules() const { return rules_; }
    friend bool operator==(const AccessList& a, const AccessList& b) {
        return a.rules_ == b.rules_;
    }

private:
    std::vector<Rule> rules_;
};

/// Null: there are no rules, and everybody may do everything.
using AccessPointer = std::shared_ptr<const AccessList>;

inline config::Access access_by(const AccessPointer& list, const Peer& peer) {
    return list ? list->of(peer) : config::Access::read_write;
}

/// Whether two lists let in the same clients.
bool same_access(const AccessPointer& a, const AccessPointer& b);

/// Looks up users and groups; what there is not is a fault. May wait for the system.
AccessPointer resolve_access(const std::optional<std::vector<config::AccessRule>>& rules,
                             std::vector<config::Fault>& faults);

/// The rules of a listener, which can change under those who came through it. Thread-safe.
class ListenerRules {
public:
    [[nodiscard]] AccessPointer now() const {
        const std::lock_guard lock(mutex_);
        return now_;
    }
    void set(AccessPointer rules) {
        const std::lock_guard lock(mutex_);
        now_ = std::move(rules);
    }

private:
    mutable std::mutex mutex_;
    AccessPointer now_;
};

} // namespace interposed::server
