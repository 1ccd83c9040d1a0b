#include "control/kept_sockets.hpp"

#include "control/told_text.hpp"
#include "server/log.hpp"
#include "server/service.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace interposed::control {

namespace log = server::log;

namespace {

using Json = nlohmann::json;
using devices::FileDescriptor;
using server::Passed;

constexpr std::string_view prefix = "interposed-attachment";
constexpr const char* description_name = "interposed-attachments";
constexpr std::size_t largest_description = std::size_t{256} << 20;

std::string socket_name(std::size_t number) {
    return std::string(prefix) + "-" + std::to_string(number);
}

Json bytes_of(const std::vector<std::byte>& bytes) {
    const auto* const first = reinterpret_cast<const std::uint8_t*>(bytes.data());
    return Json::binary({first, first + bytes.size()});
}

std::vector<std::byte> bytes_in(const Json& json) {
    const auto& binary = json.get_binary();
    const auto* const first = reinterpret_cast<const std::byte*>(binary.data());
    return {first, first + binary.size()};
}

/// One socket that is kept, but for the socket.
struct Described {
    std::string name;
    std::vector<std::byte> unread;
};
struct DescribedAttachment {
    attach::KernelExport told;
    std::vector<Described> sockets;
};

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(),
                            std::string("keeping the sockets of attachments: ") + what);
}

/// A file that is only in memory. CBOR, for what was received is bytes.
FileDescriptor file_of(const Json& json) {
    FileDescriptor file(::memfd_create(description_name, MFD_CLOEXEC));
    const auto bytes = Json::to_cbor(json);
    if (!file)
        fail("memfd_create");
    for (std::size_t done = 0; done < bytes.size();) {
        const ssize_t put = ::write(file.get(), bytes.data() + done, bytes.size() - done);
        if (put <= 0)
            fail("writing");
        done += static_cast<std::size_t>(put);
    }
    return file;
}

/// Throws nlohmann::json::exception or std::runtime_error.
Json contents_of(const FileDescriptor& file) {
    struct stat found {};
    if (::fstat(file.get(), &found) != 0 || !S_ISREG(found.st_mode) ||
        static_cast<std::uint64_t>(found.st_size) > largest_description)
        throw std::runtime_error("want a file of a sensible size");
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(found.st_size));
    const ssize_t got = ::pread(file.get(), bytes.data(), bytes.size(), 0);
    if (got != static_cast<ssize_t>(bytes.size()))
        throw std::runtime_error("want all of the file");
    return Json::from_cbor(bytes);
}

std::vector<DescribedAttachment> descriptions_in(const Json& json) {
    std::vector<DescribedAttachment> all;
    for (const Json& each : json) {
        all.push_back({.told = told_in(each.at("told")), .sockets = {}});
        for (const Json& socket : each.at("sockets"))
            all.back().sockets.push_back(
                {.name = socket.at("name"), .unread = bytes_in(socket.at("unread"))});
    }
    return all;
}

/// Also for the manager, who has a descriptor of it: the kernel at the other end sends again what
/// it still waits for.
void close_for_all(const FileDescriptor& socket) {
    (void)::shutdown(socket.get(), SHUT_RDWR);
}

bool is_ours(const Passed& passed) {
    return passed.name.starts_with(prefix);
}

} // namespace

void keep_sockets(const std::vector<Attachment::Handed>& all) {
    Json description = Json::array();
    std::vector<server::service::Kept> kept(1); // the description is the first
    for (const Attachment::Handed& each : all) {
        Json sockets = Json::array();
        for (const server::HandedSocket& socket : each.sockets) {
            const std::string name = socket_name(kept.size());
            sockets.push_back({{"name", name}, {"unread", bytes_of(socket.unread)}});
            kept.push_back({.name = name, .fd = socket.fd.get()});
        }
        if (!sockets.empty())
            description.push_back({{"told", to_json(each.told)}, {"sockets", std::move(sockets)}});
    }
    if (description.empty())
        return;
    const FileDescriptor file = file_of(description);
    kept.front() = {.name = description_name, .fd = file.get()};
    server::service::keep(kept);
}

KeptSockets::KeptSockets(std::vector<Passed>& passed) {
    std::vector<Passed> ours;
    std::copy_if(std::move_iterator(passed.begin()), std::move_iterator(passed.end()),
                 std::back_inserter(ours), is_ours);
    std::erase_if(passed, [](const Passed& each) { return !each.fd; });
    for (const Passed& each : ours)
        names_.push_back(each.name);
    const auto description = std::find_if(
        ours.begin(), ours.end(), [](const Passed& each) { return each.name == description_name; });
    try {
        if (description != ours.end())
            understand(*description, ours);
    } catch (const std::exception& why) {
        log::warning(std::string("attachments that the service manager has kept: ") + why.what());
    }
    for (const Passed& each : ours) {
        if (each.fd)
            close_for_all(each.fd);
    }
}

/// Whatever it throws, it has taken no socket then.
void KeptSockets::understand(const Passed& description, std::vector<Passed>& sockets) {
    for (DescribedAttachment& each : descriptions_in(contents_of(description.fd))) {
        Attachment::Handed handed{.told = std::move(each.told), .sockets = {}};
        for (Described& socket : each.sockets) {
            const auto found =
                std::find_if(sockets.begin(), sockets.end(), [&socket](const Passed& passed) {
                    return passed.fd && passed.name == socket.name;
                });
            if (found != sockets.end()) // else the kernel has closed its end meanwhile
                handed.sockets.push_back(
                    {.fd = std::move(found->fd), .unread = std::move(socket.unread)});
        }
        if (!handed.sockets.empty())
            all_.push_back(std::move(handed));
    }
}

std::vector<Attachment::Handed> KeptSockets::take() {
    if (names_.empty())
        return {};
    if (server::service::forget(names_))
        return std::move(all_);
    log::warning("the service manager does not say that it gives the sockets of attachments back: "
                 "they are closed, and this host's kernel is to send what it waits for again");
    for (const Attachment::Handed& each : all_) {
        for (const server::HandedSocket& socket : each.sockets)
            close_for_all(socket.fd);
    }
    return {};
}

} // namespace interposed::control
