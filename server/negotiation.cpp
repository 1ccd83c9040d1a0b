#include "server/negotiation.hpp"

#include <algorithm>

namespace interposed::server {

namespace {

using protocol::Bytes;
using protocol::Info;
using protocol::Option;
using protocol::OptionReply;
using Next = Negotiation::Next;
using Data = std::span<const std::byte>;

void refuse_malformed(Bytes& out, Option option, std::string_view why) {
    append_option_error(out, option, OptionReply::err_invalid, why);
}

/// The client may come again.
void refuse_for_now(Bytes& out, Option option, Admission why) {
    if (why == Admission::full)
        append_option_error(out, option, OptionReply::err_policy,
                            "the export has as many connections as it may have");
    else
        append_option_error(out, option, OptionReply::err_shutdown,
                            "the export takes no new connections");
}

/// What proto.md calls a match: the name itself, or for LIST the namespace as a wildcard, and no
/// query at all for everything there is.
ContextSet selected(const std::vector<std::string_view>& queries, bool listing) {
    ContextSet found;
    for (std::size_t i = 0; i < context_names.size(); ++i) {
        const auto& [name_space, name] = context_names.at(i);
        const auto matches = [&, name_space = name_space, name = name](std::string_view query) {
            return query == name || (listing && query == name_space);
        };
        if ((listing && queries.empty()) || std::any_of(queries.begin(), queries.end(), matches))
            found.add(static_cast<Context>(i));
    }
    return found;
}

} // namespace

Negotiation::Negotiation(Catalog& catalog, protocol::ClientFlags flags, Security security)
    : catalog_(catalog), flags_(flags), security_(security) {}

Next Negotiation::answer(const protocol::OptionHeader& header, Data data, Bytes& out) {
    if (++options_ > max_options)
        return Next::close;
    const bool left_out = data.size() < header.length;
    // Without fixed newstyle a client can only understand the answer to EXPORT_NAME.
    const bool needs_tls = security_ == Security::required;
    if (header.option == Option::export_name)
        return left_out || needs_tls ? Next::close : answer_export_name(data, out);
    if (!flags_.fixed_newstyle)
        return Next::close;
    if (header.option == Option::abort) {
        append_option_reply(out, header.option, OptionReply::ack);
        return Next::close;
    }
    if (needs_tls && header.option != Option::starttls) {
        append_option_error(out, header.option, OptionReply::err_tls_reqd, "want STARTTLS first");
        return Next::option;
    }
    if (catalog_.closing()) {
        append_option_error(out, header.option, OptionReply::err_shutdown, "shutting down");
        return Next::option;
    }
    if (left_out) {
        append_option_error(out, header.option, OptionReply::err_too_big, "option too long");
        return Next::option;
    }
    switch (header.option) {
    case Option::starttls:
        return answer_starttls(data, out);
    case Option::list:
        answer_list(data, out);
        return Next::option;
    case Option::info:
    case Option::go:
        return answer_info(header.option, data, out);
    case Option::structured_reply:
    case Option::extended_headers:
        answer_framing(header.option, data, out);
        return Next::option;
    case Option::list_meta_context:
    case Option::set_meta_context:
        answer_meta_context(header.option, data, out);
        return Next::option;
    default:
        append_option_error(out, header.option, OptionReply::err_unsup, "option not supported");
        return Next::option;
    }
}

Next Negotiation::answer_starttls(Data data, Bytes& out) const {
    if (security_ == Security::none) {
        append_option_error(out, Option::starttls, OptionReply::err_unsup, "TLS not configured");
        return Next::option;
    }
    if (security_ == Security::established || !data.empty()) {
        refuse_malformed(out, Option::starttls,
                         data.empty() ? "TLS is established" : "this option has no data");
        return Next::option;
    }
    append_option_reply(out, Option::starttls, OptionReply::ack);
    return Next::start_tls;
}

/// Where an export may be hidden because it requires TLS, one that is not there looks the same.
void Negotiation::refuse_unknown(Option option, Bytes& out) const {
    const bool chooses = option == Option::info || option == Option::go;
    if (security_ == Security::offered && chooses)
        append_option_error(out, option, OptionReply::err_tls_reqd,
                            "no such export without STARTTLS");
    else
        append_option_error(out, option, OptionReply::err_unknown, "no such export");
}

Next Negotiation::answer_export_name(Data data, Bytes& out) {
    if (framing_ == protocol::Framing::extended)
        return Next::close; // whoever asked for extended headers must use GO
    const std::string_view name(reinterpret_cast<const char*>(data.data()), data.size());
    auto found = catalog_.closing() ? nullptr : catalog_.find(name);
    if (!found || catalog_.admit(found) != Admission::yes)
        return Next::close; // this option has no way to say no
    choose(std::move(found));
    protocol::append_export_name_reply(out, chosen_->size(), flags_of(chosen_), !flags_.no_zeroes);
    return Next::transmission;
}

Next Negotiation::answer_info(Option option, Data data, Bytes& out) {
    const auto request = protocol::decode_info_request(data);
    if (!request || !protocol::is_protocol_string(request->name)) {
        refuse_malformed(out, option, "malformed request for an export");
        return Next::option;
    }
    auto found = catalog_.find(request->name);
    if (!found) {
        refuse_unknown(option, out);
        return Next::option;
    }
    if (option == Option::go) {
        const auto answer = catalog_.admit(found);
        if (answer != Admission::yes) {
            refuse_for_now(out, option, answer);
            return Next::option;
        }
    }
    append_info_export(out, option, found->size(), flags_of(found));
    if (request->wants(Info::name))
        append_info_text(out, option, Info::name, found->name);
    if (request->wants(Info::description) && !found->description.empty())
        append_info_text(out, option, Info::description, found->description);
    const devices::Limits& limits = found->layer().limits();
    append_info_block_size(out, option, limits.minimum_block, limits.preferred_block, max_request);
    append_option_reply(out, option, OptionReply::ack);
    if (option == Option::info)
        return Next::option;
    choose(std::move(found));
    return Next::transmission;
}

void Negotiation::answer_list(Data data, Bytes& out) const {
    if (!data.empty()) {
        refuse_malformed(out, Option::list, "this option has no data");
        return;
    }
    for (const auto& each : catalog_.visible())
        protocol::append_server_reply(out, each->name, each->description);
    append_option_reply(out, Option::list, OptionReply::ack);
}

void Negotiation::answer_framing(Option option, Data data, Bytes& out) {
    if (!data.empty()) {
        refuse_malformed(out, option, "this option has no data");
        return;
    }
    const bool extended = option == Option::extended_headers;
    if (!extended && framing_ == protocol::Framing::extended) {
        append_option_error(out, option, OptionReply::err_ext_header_reqd,
                            "extended headers were agreed on before");
        return;
    }
    framing_ = extended ? protocol::Framing::extended : protocol::Framing::structured;
    append_option_reply(out, option, OptionReply::ack);
}

void Negotiation::answer_meta_context(Option option, Data data, Bytes& out) {
    const bool listing = option == Option::list_meta_context;
    if (!listing) { // forgets the earlier selection even if it fails
        contexts_ = {};
        context_export_.reset();
    }
    const auto request = protocol::decode_meta_context_request(data);
    const bool well_formed =
        request && protocol::is_protocol_string(request->name) &&
        std::all_of(request->queries.begin(), request->queries.end(), protocol::is_protocol_string);
    if (!well_formed || (!listing && framing_ == protocol::Framing::simple)) {
        refuse_malformed(out, option,
                         well_formed ? "structured replies come first" : "malformed query");
        return;
    }
    auto found = catalog_.find(request->name);
    if (!found) {
        refuse_unknown(option, out);
        return;
    }
    const ContextSet matching = selected(request->queries, listing);
    for (std::size_t i = 0; i < context_names.size(); ++i) {
        const auto context = static_cast<Context>(i);
        if (matching.has(context))
            append_meta_context(out, option, listing ? 0 : context_id(context),
                                context_names.at(i).name);
    }
    if (!listing) {
        contexts_ = matching;
        context_export_ = found->name;
    }
    append_option_reply(out, option, OptionReply::ack);
}

void Negotiation::choose(std::shared_ptr<const Export> chosen) {
    chosen_ = std::move(chosen);
    told_read_only_ = !catalog_.may_write(*chosen_);
    if (!has_contexts_of(*chosen_))
        contexts_ = {};
    context_export_.reset();
}

/// Its table may have been swapped meanwhile: the name is what the client means.
bool Negotiation::has_contexts_of(const Export& offered) const {
    return context_export_ == offered.name;
}

std::uint16_t Negotiation::flags_of(const std::shared_ptr<const Export>& offered) const {
    return offered->flags(framing_, !contexts_.empty() && has_contexts_of(*offered),
                          catalog_.may_write(*offered));
}

} // namespace interposed::server
