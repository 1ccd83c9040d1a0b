#include "server/resolve.hpp"

#include "config/quotes.hpp"
#include "server/conflicts.hpp"
#include "server/export_resolver.hpp"
#include "server/tls_context.hpp"

#include <utility>

namespace interposed::server {

namespace {

std::shared_ptr<const TlsContext> resolve_tls(const config::Configuration& configuration,
                                              std::vector<std::string>& warnings,
                                              std::vector<config::Fault>& faults) {
    if (!configuration.tls)
        return nullptr;
    try {
        auto made = TlsContext::load(*configuration.tls, configuration.file);
        warnings.insert(warnings.end(), made->warnings().begin(), made->warnings().end());
        return made;
    } catch (const config::ConfigError& why) {
        faults.insert(faults.end(), why.faults().begin(), why.faults().end());
        return nullptr;
    }
}

} // namespace

Resolved resolve(const config::Configuration& configuration, const Probe& probe) {
    Resolved resolved;
    std::vector<config::Fault> faults;
    resolved.tls = resolve_tls(configuration, resolved.warnings, faults);
    Probes probes(probe);
    for (const config::Listener& source : configuration.listen)
        resolved.listeners.push_back({&source, resolve_access(source.allow, faults)});
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

ResolvedExport resolve_beside(const config::Export& source, const std::string& file,
                              std::vector<ResolvedExport> served,
                              std::vector<ResolvedExport> loaded, const Probe& probe) {
    std::vector<config::Fault> faults;
    Probes probes(probe);
    const ResolvedExport resolved = resolve_export(source, probes, faults);
    if (const std::string& why = resolved.disabled_because; !why.empty())
        faults.push_back({source.place, why});
    if (faults.empty()) {
        // An export's two tables may lie on the same bytes, and are never in one of these lists.
        for (std::vector<ResolvedExport>* others : {&served, &loaded}) {
            others->push_back(resolved);
            if (faults.empty()) // else the same would be found again
                find_conflicts(*others, faults);
        }
    }
    if (!faults.empty())
        throw config::ConfigError(file, std::move(faults));
    return resolved;
}

} // namespace interposed::server
