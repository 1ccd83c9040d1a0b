#include "server/resolve.hpp"

#include "config/quotes.hpp"
#include "server/conflicts.hpp"
#include "server/export_resolver.hpp"

#include <utility>

namespace interposed::server {

Resolved resolve(const config::Configuration& configuration, const Probe& probe) {
    Resolved resolved;
    std::vector<config::Fault> faults;
    Probes probes(probe);
    for (const config::Export& source : configuration.exports) {
        resolved.exports.push_back(resolve_export(source, probes, faults));
        if (const std::string& why = resolved.exports.back().disabled_because; !why.empty())
            resolved.warnings.push_back("export " + config::in_quotes(source.name) +
                                        " is disabled: " + why);
    }
    find_conflicts(resolved.exports, faults);
    if (!faults.empty())
        throw config::ConfigError(configuration.file, std::move(faults));
    return resolved;
}

} // namespace interposed::server
