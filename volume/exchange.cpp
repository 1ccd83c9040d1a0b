#include "volume/exchange.hpp"

#include "config/quotes.hpp"
#include "volume/bounded.hpp"
#include "volume/guard.hpp"
#include "volume/residence.hpp"

namespace interposed::volume {

namespace {

/// Throws MapperError, also where it cannot be told.
void expect_live(const std::string& name, const Table& wanted) {
    const auto now = look_at(name);
    if (!now || now->live != wanted || now->suspended)
        throw MapperError("volume " + config::in_quotes(name) +
                              ": want the table that was loaded to be live, found " +
                              (now ? "another" : "no such volume"),
                          0);
}

} // namespace

std::chrono::microseconds exchange(const std::string& name, const Table& to,
                                   const std::vector<std::string>& mounts, Switch how) {
    const std::string subject = "volume " + config::in_quotes(name) + ": ";
    if (const std::string why = stay_resident(); !why.empty())
        throw MapperError(subject + why, 0);
    if (const std::string why = write_back(mounts, how.limit); !why.empty())
        throw MapperError(subject + "writing back what its filesystems hold: " + why, 0);
    const auto before = look_at(name);
    if (!before)
        throw MapperError(subject + "there is no such volume any more", 0);
    const Guard guard(name);
    load(name, to);
    const auto pause = swap_tables(name, how);
    try {
        expect_live(name, to);
    } catch (const MapperError&) {
        load(name, before->live);
        (void)swap_tables(name, how);
        throw;
    }
    return pause;
}

} // namespace interposed::volume
