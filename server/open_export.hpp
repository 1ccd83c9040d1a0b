#pragma once

#include "devices/registry.hpp"
#include "server/export.hpp"

#include <cstdint>
#include <memory>

namespace interposed::server {

/// The claim that devices are opened with.
devices::ClaimMode claim_mode(config::Claim claim);

/// The third stage of one export: claims its devices and puts a layer over them. What it shares
/// with what it was `before`, if it was something: the memory its clients may take (`memory`
/// bytes, else), its rate limits, which are not changed by this, and its
/// statistics. May wait for the devices. Throws devices::ClaimError, and then
/// no claim is held. From any thread.
std::unique_ptr<Export> open_export(devices::Registry& registry, const ResolvedExport& resolved,
                                    const Export* before, std::uint64_t memory, unsigned loops);

/// The same export on other terms: what it is called, who may use it, how often and how fast, and
/// with the claim that its devices have come to have meanwhile. Shares the table with `before`, and
/// all else. `source` has the same table; `access` is what its rules come to.
std::unique_ptr<Export> with_terms(const Export& before, const config::Export& source,
                                   AccessPointer access);

} // namespace interposed::server
