#include "interposectl/definition.hpp"

#include "config/text.hpp"
#include "interposectl/client.hpp"
#include "interposectl/errors.hpp"
#include "interposectl/text.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace interposed::ctl {
namespace {

constexpr std::size_t read_size = std::size_t{64} << 10U;

class OpenFile {
public:
    explicit OpenFile(const std::string& file)
        : fd_(file == "-" ? ::dup(STDIN_FILENO) : ::open(file.c_str(), O_RDONLY | O_CLOEXEC)) {}
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    ~OpenFile() {
        if (fd_ >= 0)
            ::close(fd_);
    }
    [[nodiscard]] int get() const { return fd_; }

private:
    int fd_;
};

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
    throw LocalFailure(printable(name) + ": " + why);
}

/// No more than a request can carry: FILE may be endless, such as a device.
std::string read_text(const std::string& file, const std::string& name) {
    const OpenFile open(file);
    if (open.get() < 0)
        refuse(name, std::generic_category().message(errno));
    std::string text;
    for (;;) {
        const std::size_t before = text.size();
        text.resize(before + read_size);
        const ssize_t got = ::read(open.get(), text.data() + before, read_size);
        const int error = errno;
        text.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
        if (got == 0)
            return text;
        if (got < 0 && error != EINTR)
            refuse(name, std::generic_category().message(error));
        if (text.size() > Client::largest_request)
            refuse(name, "want at most 64 MiB, found more");
    }
}

/// As the server would report it, if such a text could be sent.
void check_text(const std::string& text, const std::string& name) {
    const auto bad = config::find_bad_text(text);
    if (!bad)
        return;
    const std::string message = name + ":" + std::to_string(bad->at.line) + ":" +
                                std::to_string(bad->at.column) + ": " + bad->message;
    const Json fault = {{"file", name},
                        {"line", bad->at.line},
                        {"column", bad->at.column},
                        {"path", ""},
                        {"message", bad->message}};
    throw Refused({{"code", code_definition},
                   {"message", message},
                   {"data", {{"kind", "definition"}, {"faults", Json::array({fault})}}}});
}

std::string folder_of(const std::string& file) {
    std::error_code why;
    // Of "-", a file of this name in the current folder.
    const std::filesystem::path whole = std::filesystem::absolute(file, why);
    if (why)
        refuse(file, "cannot tell the current folder: " + why.message());
    return whole.lexically_normal().parent_path().string();
}

} // namespace

Json read_definition(const std::string& file) {
    const std::string name = file == "-" ? "standard input" : file;
    std::string text = read_text(file, name);
    check_text(text, name);
    return {{"definition", std::move(text)}, {"file", name}, {"folder", folder_of(file)}};
}

bool looks_like_json(std::string_view text) {
    config::Cursor cursor(text);
    cursor.skip_blanks();
    return cursor.here() == '{' || cursor.here() == '[';
}

} // namespace interposed::ctl
