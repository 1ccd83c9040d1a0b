#include "config/qos.hpp"

#include "config/quotes.hpp"
#include "config/sizes.hpp"

namespace interposed::config {
namespace {

void read_requests(Reader& reader, const Fields& fields, std::string_view key,
                   std::uint64_t& into) {
    if (const auto at = fields.find(key))
        into = reader.number(*at, 1, largest_size).value_or(into);
}

void read_bytes(Reader& reader, const Fields& fields, std::string_view key, std::uint64_t& into) {
    const auto at = fields.find(key);
    const auto bytes = at ? reader.size(*at) : std::nullopt;
    if (bytes && *bytes == 0)
        reader.refuse(*at, "at least 1 byte; leave " + in_quotes(key) + " out for no limit");
    into = bytes.value_or(into);
}

/// A burst alone would limit nothing, and whoever wrote it meant something else.
void require_rate(Reader& reader, const Fields& fields, std::string_view rate,
                  std::string_view burst) {
    const auto at = fields.find(burst);
    if (at && !fields.find(rate))
        reader.fault(*at, in_quotes(rate) + " is missing, without which " + in_quotes(burst) +
                              " limits nothing");
}

RateLimit read_rate(Reader& reader, const Fields& fields) {
    RateLimit limit;
    read_requests(reader, fields, "iops", limit.iops);
    read_requests(reader, fields, "iops_burst", limit.iops_burst);
    read_bytes(reader, fields, "bandwidth", limit.bandwidth);
    read_bytes(reader, fields, "bandwidth_burst", limit.bandwidth_burst);
    require_rate(reader, fields, "iops", "iops_burst");
    require_rate(reader, fields, "bandwidth", "bandwidth_burst");
    return limit;
}

} // namespace

Qos read_qos(Reader& reader, const Node& at) {
    Qos qos;
    const Object* const object = reader.object(at, "an object of rate limits");
    if (object == nullptr)
        return qos;
    const Fields fields(reader, at, *object, qos_level);
    qos.all = read_rate(reader, fields);
    const auto client = fields.find("client");
    const Object* const limits =
        client ? reader.object(*client, "an object of rate limits") : nullptr;
    if (limits != nullptr)
        qos.per_client = read_rate(reader, Fields(reader, *client, *limits, client_qos_level));
    return qos;
}

} // namespace interposed::config
