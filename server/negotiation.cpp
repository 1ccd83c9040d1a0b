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

constexpr std::string_view allocation_context_name = "base:allocation";

void refuse_unknown(Bytes& out, Option option) {
    append_option_error(out, option, OptionReply::err_unknown, "no such export");
}

void refuse_malformed(Bytes& out, Option option, std::string_view why) {
    append_option_error(out, option, OptionReply::err_invalid, why);
}

/// What proto.md calls a match: the name itself, or for LIST the namespace as a wildcard.
bool selects_allocation(std::string_view query, bool listing) {
    return query == allocation_context_name || (listing && query == "base:");
}

} // namespace

Negotiation::Negotiation(const Catalog& catalog, protocol::ClientFlags flags)
    : catalog_(catalog), flags_(flags) {}

Next Negotiation::answer(const protocol::OptionHeader& header, Data data, Bytes& out) {
    if (++options_ > max_options)
        return Next::close;
    // Without fixed newstyle a client can only understand the answer to EXPORT_NAME.
    if (header.option == Option::export_name)
        return too_long(header) ? Next::close : answer_export_name(data, out);
    if (!flags_.fixed_newstyle)
        return Next::close;
    if (header.option == Option::abort) {
        append_option_reply(out, header.option, OptionReply::ack);
        return Next::close;
    }
    if (catalog_.closing()) {
        append_option_error(out, header.option, OptionReply::err_shutdown, "shutting down");
        return Next::option;
    }
    if (too_long(header)) {
        append_option_error(out, header.option, OptionReply::err_too_big, "option too long");
        return Next::option;
    }
    switch (header.option) {
    case Option::list:
        answer_list(data, out);
        return Next::option;
    case Option::info:
    case Option::go:
        return answer_info(header.option, data, out);
    case Option::structured_reply:
        answer_structured_reply(data, out);
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

Next Negotiation::answer_export_name(Data data, Bytes& out) {
    const std::string_view name(reinterpret_cast<const char*>(data.data()), data.size());
    auto found = catalog_.closing() ? nullptr : catalog_.find(name);
    if (!found)
        return Next::close; // this option has no way to say no
    choose(std::move(found));
    protocol::append_export_name_reply(out, chosen_->size(), chosen_->flags(structured_replies_),
                                       !flags_.no_zeroes);
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
        refuse_unknown(out, option);
        return Next::option;
    }
    append_info_export(out, option, found->size(), found->flags(structured_replies_));
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

void Negotiation::answer_structured_reply(Data data, Bytes& out) {
    if (!data.empty()) {
        refuse_malformed(out, Option::structured_reply, "this option has no data");
        return;
    }
    structured_replies_ = true;
    append_option_reply(out, Option::structured_reply, OptionReply::ack);
}

void Negotiation::answer_meta_context(Option option, Data data, Bytes& out) {
    const bool listing = option == Option::list_meta_context;
    if (!listing) { // forgets the earlier selection even if it fails
        allocation_context_ = false;
        context_export_.reset();
    }
    const auto request = protocol::decode_meta_context_request(data);
    const bool well_formed =
        request && protocol::is_protocol_string(request->name) &&
        std::all_of(request->queries.begin(), request->queries.end(), protocol::is_protocol_string);
    if (!well_formed || (!listing && !structured_replies_)) {
        refuse_malformed(out, option,
                         well_formed ? "structured replies come first" : "malformed query");
        return;
    }
    auto found = catalog_.find(request->name);
    if (!found) {
        refuse_unknown(out, option);
        return;
    }
    const bool selected =
        (listing && request->queries.empty()) ||
        std::any_of(request->queries.begin(), request->queries.end(),
                    [&](std::string_view query) { return selects_allocation(query, listing); });
    if (selected)
        append_meta_context(out, option, listing ? 0 : allocation_context_id,
                            allocation_context_name);
    if (selected && !listing) {
        allocation_context_ = true;
        context_export_ = std::move(found);
    }
    append_option_reply(out, option, OptionReply::ack);
}

void Negotiation::choose(std::shared_ptr<const Export> chosen) {
    chosen_ = std::move(chosen);
    allocation_context_ = allocation_context_ && context_export_ == chosen_;
    context_export_.reset();
}

} // namespace interposed::server
