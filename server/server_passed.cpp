#include "config/quotes.hpp"
#include "server/server.hpp"

#include <algorithm>
#include <stdexcept>

// Listeners that the service manager has opened: passed once, at the start, and kept until the end.
namespace interposed::server {

namespace {

[[noreturn]] void refuse(const config::Listener& wish, const std::string& found) {
    throw std::runtime_error(
        "listen " + config::in_quotes(to_string(wish)) +
        ": want a socket that the service manager passes at the start, found " + found);
}

} // namespace

void Server::adopt_passed(const ResolvedListener& wanted,
                          const std::vector<config::Listener>& wishes, Listeners& into) {
    const config::Listener& wish = *wanted.source;
    const std::size_t before = into.size();
    for (Passed& each : passed_) {
        if (is_meant(each.name, wish, wishes))
            into.push_back(Listener::adopt(control_, wish, wanted.access, std::move(each)));
    }
    std::erase_if(passed_, [](const Passed& each) { return !each.fd; });
    if (into.size() > before)
        return;
    std::string found = passed_.empty() ? "none that is left" : "only";
    for (const Passed& each : passed_)
        found += " " + config::in_quotes(each.name);
    refuse(wish, found);
}

/// One that is closed never comes back, so a configuration that has no use for it is wrong.
void Server::check_kept(const std::vector<config::Listener>& wishes) const {
    for (const auto& listener : listeners_) {
        const auto& name = listener->wish().systemd;
        if (name && std::none_of(wishes.begin(), wishes.end(),
                                 [&name](const auto& each) { return each.systemd == name; }))
            refuse(listener->wish(), "it to be no listener any more: that takes a restart");
    }
}

void Server::check_none_left() const {
    if (passed_.empty())
        return;
    const Passed& first = passed_.front();
    throw std::runtime_error("the service manager has passed the socket " +
                             config::in_quotes(first.name) + " (" + listening_address(first) +
                             "): want a listener for it in \"listen\", found none");
}

} // namespace interposed::server
