#include "server/session.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

// How a session pauses while its export changes under it, and goes on. What it has received stays
// where it is; what it has accepted is finished and answered first.
namespace interposed::server {

void Session::hold(std::function<void()> quiet) {
    held_ = true;
    quiet_ = std::move(quiet);
    if (streaming_ && streamed_ == 0) {
        // Nothing of it is written yet: so it can wait, and be written as a whole.
        streaming_ = false;
        if (pipe_)
            collect_piped();
        else
            collect_payload();
    }
    tell_if_quiet();
}

void Session::go_on(std::shared_ptr<const Export> now) {
    agreement_.chosen = std::move(now);
    layer_ = &agreement_.chosen->layer();
    fields_.export_name = agreement_.chosen->name;
    extents_seen_ = {}; // those were other pages
    held_ = false;
    quiet_ = nullptr;
    watched_since_ = {}; // it was not the client who stood still
    send_replies();
    changed_.notify_all();
}

void Session::hand_over() {
    ending_ = "handed over to the next server";
    handing_over_ = true;
    stream_.interrupt();
    changed_.notify_all();
}

void Session::go_on_with(std::span<const std::byte> received) {
    const iovec space = inbox_.free_space();
    if (received.size() > space.iov_len)
        throw std::length_error("more was received than a session takes");
    std::copy(received.begin(), received.end(), static_cast<std::byte*>(space.iov_base));
    inbox_.received(received.size());
}

void Session::let_go() {
    fields_.export_name.reset();
    layer_ = nullptr;
    agreement_.chosen.reset();
}

/// A part of a WRITE must not be written here and the rest there.
bool Session::half_written() const {
    return streamed_ > 0 && (streaming_ || payload_left_ > 0);
}

void Session::tell_if_quiet() {
    if (held_ && quiet_ && in_layer_ == 0 && !half_written())
        std::exchange(quiet_, nullptr)();
}

} // namespace interposed::server
