#include "interposectl/errors.hpp"
#include "interposectl/render.hpp"
#include "interposectl/text.hpp"

#include <array>
#include <vector>

namespace interposed::ctl {
namespace {

/// "vol0: ", as the user has written it.
std::string subject(const Arguments& arguments) {
    return export_name(arguments.operands.front()) + ": ";
}

std::string created(const Arguments&, const Fields& result) {
    const Fields made = result.object("export");
    return export_name(made.text("name")) + ": created, " + harmless(made.text("state")) + ", " +
           size_text(made.number("size"));
}

std::string removed(const Arguments& arguments, const Fields& result) {
    return subject(arguments) + (result.flag("removed")
                                     ? "removed"
                                     : "drains; it is removed when its last client leaves");
}

std::string loaded(const Arguments& arguments, const Fields& result) {
    const Fields inactive = result.object("inactive");
    return subject(arguments) + "loaded " + counted(inactive.number("segments"), "segment") + ", " +
           size_text(inactive.number("size")) + ", in " + duration_text(result.real("seconds")) +
           "; `resume` swaps them in";
}

std::string cleared(const Arguments& arguments, const Fields& result) {
    return subject(arguments) +
           (result.flag("cleared") ? "dropped the loaded table" : "no table was loaded");
}

std::string suspended(const Arguments& arguments, const Fields& result) {
    return subject(arguments) + "suspended, after " + duration_text(result.real("seconds"));
}

std::string resumed(const Arguments& arguments, const Fields& result) {
    return subject(arguments) +
           (result.flag("swapped")
                ? "swapped to generation " + std::to_string(result.number("generation"))
                : "resumed, with the same table") +
           "; requests were held for " + duration_text(result.real("pause_s"));
}

std::string resized(const Arguments& arguments, const Fields& result) {
    return subject(arguments) + (result.flag("grown") ? "grown to " : "unchanged, ") +
           size_text(result.number("size")) + "; requests were held for " +
           duration_text(result.real("pause_s"));
}

std::string reopened(const Arguments& arguments, const Fields& result) {
    std::string text;
    for_each_object(result.list("cleared"), "cleared", [&](const Fields& each) {
        text += (text.empty() ? "" : "\n") + subject(arguments) + printable(each.text("device")) +
                ": forgot that a flush had failed: " + harmless(each.text("flush_error"));
    });
    return text.empty() ? subject(arguments) + "no flush had failed" : text;
}

std::string drained(const Arguments& arguments, const Fields& result) {
    const std::string name = arguments.operands.empty() ? "all exports: " : subject(arguments);
    return name + (result.flag("draining") ? "no new clients, " : "new clients again, ") +
           counted(result.number("connections"), "connection") +
           (result.flag("draining") ? " left" : "");
}

std::string limited(const Arguments& arguments, const Fields& result) {
    return subject(arguments) + "limits: " + qos_text(result.object("qos"));
}

std::string claimed(const Arguments& arguments, const Fields& result) {
    const std::string claim = "claim " + harmless(result.text("claim"));
    if (!result.flag("changed"))
        return subject(arguments) + claim + ", as it was";
    const bool is_held = result.text("claim") == "shared" && !result.flag("free");
    return subject(arguments) + claim + (result.flag("recorded") ? "" : ", until it restarts") +
           "; requests were held for " + duration_text(result.real("pause_s")) +
           (is_held ? "; its devices are claimed still, or by somebody else again" : "");
}

std::string attached(const Arguments& arguments, const Fields& result) {
    return subject(arguments) + "attached to " + printable(result.text("device")) + ", " +
           size_text(result.number("size")) + ", as " + harmless(result.text("identifier"));
}

std::string detached(const Arguments& arguments, const Fields&) {
    return subject(arguments) + "detached";
}

std::string disconnected(const Arguments&, const Fields& result) {
    return "disconnected " + counted(result.number("disconnected"), "session");
}

std::string traced(const Arguments& arguments, const Fields& result) {
    return counted(result.number("sessions"), "session") +
           (arguments.operands.front() == "on" ? " traced from now on" : " not traced any more");
}

std::string logged(const Arguments&, const Fields& result) {
    return "level " + harmless(result.text("level")) + ", format " +
           harmless(result.text("format"));
}

/// Nothing about what there is nothing of.
void append_names(std::string& text, const Fields& result, const char* key, const char* what) {
    const std::vector<std::string> names = result.texts(key);
    if (names.empty())
        return;
    text += what;
    for (std::size_t i = 0; i < names.size(); ++i)
        text += (i > 0 ? ", " : " ") + export_name(names[i]);
    text += "\n";
}

std::string reloaded(const Arguments&, const Fields& result) {
    std::string text;
    append_names(text, result, "added", "added:");
    append_names(text, result, "removed", "removed:");
    append_names(text, result, "changed", "changed:");
    append_names(text, result, "listeners_added", "now listening on:");
    append_names(text, result, "listeners_removed", "no longer listening on:");
    return text + counted(result.number("unchanged"), "export") + " unchanged; reloaded in " +
           duration_text(result.real("seconds"));
}

std::string happened(const Arguments&, const Fields& result) {
    std::string text = harmless(result.text("event"));
    if (const auto name = result.text_or_null("export"))
        text += " " + export_name(*name);
    const std::string detail = harmless(result.text("detail"));
    return detail.empty() ? text : text + ": " + detail;
}

std::string versions(const Arguments&, const Fields& result) {
    return "interposed " + harmless(result.text("server")) + ", protocol " +
           std::to_string(result.number("protocol")) + ", process " +
           std::to_string(result.number("pid")) + ", up " + duration_text(result.real("uptime_s")) +
           "\nconfiguration: " + printable(result.text("configuration")) +
           "\nstate directory: " + printable(result.text_or_null("state_dir").value_or("none")) +
           "\ninterposectl " INTERPOSED_VERSION;
}

struct Sentence {
    std::string_view verb;
    std::string (*text)(const Arguments&, const Fields&);
};

constexpr std::array sentences = {
    Sentence{"create", created},    Sentence{"remove", removed},
    Sentence{"load", loaded},       Sentence{"clear", cleared},
    Sentence{"suspend", suspended}, Sentence{"resume", resumed},
    Sentence{"resize", resized},    Sentence{"reopen", reopened},
    Sentence{"drain", drained},     Sentence{"qos", limited},
    Sentence{"claim", claimed},     Sentence{"attach", attached},
    Sentence{"detach", detached},   Sentence{"disconnect", disconnected},
    Sentence{"trace", traced},      Sentence{"log", logged},
    Sentence{"reload", reloaded},   Sentence{"wait", happened},
    Sentence{"version", versions},
};

} // namespace

std::string done_text(const Arguments& arguments, const Json& result) {
    for (const Sentence& each : sentences)
        if (each.verb == arguments.verb->name)
            return each.text(arguments, Fields(result, "result")) + "\n";
    throw LocalFailure(std::string(arguments.verb->name) + ": has no text");
}

} // namespace interposed::ctl
