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

/// Throws MapperError: since it was looked at somebody has loaded another table, or is about to.
void expect_unchanged(const std::string& name, const Table& wanted) {
    const auto now = look_at(name);
    const std::string subject = "volume " + config::in_quotes(name) + ": ";
    if (!now)
        throw MapperError(subject + "there is no such volume any more", 0);
    if (now->live != wanted)
        throw MapperError(subject + "somebody has given it another table meanwhile", 0);
    if (now->inactive_table || now->suspended)
        throw MapperError(subject + "somebody is about to change it: it " +
                              (now->suspended ? "is suspended" : "has an inactive table"),
                          0);
}

/// Throws MapperError: LVM, say, may have done the same meanwhile. What is resumed has to be ours,
/// over what we know.
void expect_ours_to_come(const std::string& name, const Table& from, const Table& to) {
    const auto now = look_at(name);
    if (!now || now->live != from || now->suspended || inactive_table(name) != to)
        throw MapperError("volume " + config::in_quotes(name) +
                              ": somebody else is changing it at this moment",
                          0);
}

/// What somebody else has loaded in its place stays.
void forget_load(const std::string& name, const Table& ours) {
    try {
        if (inactive_table(name) == ours)
            clear(name);
    } catch (const MapperError&) { // there is a more important error to tell of
    }
}

} // namespace

std::chrono::microseconds exchange(const std::string& name, const Table& from, const Table& to,
                                   const std::vector<std::string>& mounts,
                                   std::chrono::seconds limit) {
    const std::string subject = "volume " + config::in_quotes(name) + ": ";
    if (const std::string why = stay_resident(); !why.empty())
        throw MapperError(subject + why, 0);
    if (const std::string why = write_back(mounts, limit); !why.empty())
        throw MapperError(subject + "writing back what its filesystems hold: " + why, 0);
    expect_unchanged(name, from);
    const Guard guard(name);
    load(name, to);
    try {
        expect_ours_to_come(name, from, to);
    } catch (const MapperError&) {
        forget_load(name, to);
        throw;
    }
    const auto pause = swap_tables(name, limit);
    try {
        expect_live(name, to);
    } catch (const MapperError&) {
        load(name, from);
        (void)swap_tables(name, limit);
        throw;
    }
    return pause;
}

} // namespace interposed::volume
