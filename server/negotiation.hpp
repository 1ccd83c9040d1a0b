#pragma once

#include "protocol/handshake.hpp"
#include "server/contexts.hpp"
#include "server/export.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace interposed::server {

/// The exports one client may see. A name it may not see is not told from one that is not there.
class Catalog {
public:
    virtual ~Catalog() = default;
    [[nodiscard]] virtual std::vector<std::shared_ptr<const Export>> visible() const = 0;
    /// Null: no such export.
    [[nodiscard]] virtual std::shared_ptr<const Export> find(std::string_view name) const = 0;
    /// Whether the client may change an export that it sees, as far as it depends on the client.
    [[nodiscard]] virtual bool may_write(const Export& one) const {
        (void)one;
        return true;
    }
    /// No new clients any more.
    [[nodiscard]] virtual bool closing() const = 0;

    /// Called when the client has chosen: takes a place at the export, if there is one.
    virtual Admission admit(const std::shared_ptr<const Export>& chosen) {
        (void)chosen;
        return Admission::yes;
    }
};

/// What a connection has of TLS (proto.md, "TLS support"): NOTLS, SELECTIVETLS or FORCEDTLS, until
/// it is established.
enum class Security : std::uint8_t { none, offered, required, established };

/// The option haggling of one connection, from the client's flags to a chosen export. Pure: it is
/// given whole options and appends what to answer. Not thread-safe.
class Negotiation {
public:
    /// Of one option's data, bytes: room for ten thousand metadata queries.
    static constexpr std::uint32_t max_option_data = 1U << 20;
    /// Options a client may send. Nobody needs more than a dozen; LIST answers can be long.
    static constexpr unsigned max_options = 256;

    enum class Next : std::uint8_t {
        option,
        transmission,
        start_tls, ///< once the answer is sent; then everything begins anew, but for the flags
        close
    };

    Negotiation(Catalog& catalog, protocol::ClientFlags flags, Security security = Security::none);

    /// Answers one option. `data` is all of it, or nothing of it if it is too long: then it is
    /// refused for that.
    Next answer(const protocol::OptionHeader& header, std::span<const std::byte> data,
                protocol::Bytes& out);

    [[nodiscard]] static bool too_long(const protocol::OptionHeader& header) {
        return header.length > max_option_data;
    }

    /// Set once answer() has said transmission.
    [[nodiscard]] const std::shared_ptr<const Export>& chosen() const { return chosen_; }
    [[nodiscard]] protocol::Framing framing() const { return framing_; }
    [[nodiscard]] ContextSet contexts() const { return contexts_; }
    /// So the client was told, whatever rules say by now.
    [[nodiscard]] bool told_read_only() const { return told_read_only_; }

private:
    Next answer_export_name(std::span<const std::byte> data, protocol::Bytes& out);
    Next answer_info(protocol::Option option, std::span<const std::byte> data,
                     protocol::Bytes& out);
    Next answer_starttls(std::span<const std::byte> data, protocol::Bytes& out) const;
    void refuse_unknown(protocol::Option option, protocol::Bytes& out) const;
    void answer_list(std::span<const std::byte> data, protocol::Bytes& out) const;
    void answer_framing(protocol::Option option, std::span<const std::byte> data,
                        protocol::Bytes& out);
    void answer_meta_context(protocol::Option option, std::span<const std::byte> data,
                             protocol::Bytes& out);
    void choose(std::shared_ptr<const Export> chosen);
    [[nodiscard]] bool has_contexts_of(const Export& offered) const;
    [[nodiscard]] std::uint16_t flags_of(const std::shared_ptr<const Export>& offered) const;

    Catalog& catalog_;
    protocol::ClientFlags flags_;
    Security security_;
    unsigned options_ = 0;
    protocol::Framing framing_ = protocol::Framing::simple;
    ContextSet contexts_;
    std::optional<std::string> context_export_; ///< of which the contexts were selected
    std::shared_ptr<const Export> chosen_;
    bool told_read_only_ = false;
};

} // namespace interposed::server
