#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace interposed::control {

using Json = nlohmann::json;

/// In one line. What is not UTF-8, as a device's name need not be, is replaced.
std::string text_of(const Json& value);

/// The parameters of a request are not those of its method.
class WrongParams : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// The members of a request's "params", each asked for once. What nobody asked for is an error.
class Params {
public:
    explicit Params(Json given);

    std::string text(const char* key);
    std::optional<std::string> optional_text(const char* key);
    bool truth(const char* key, bool otherwise);
    std::optional<std::uint64_t> number(const char* key);
    /// Above zero, at most `most`.
    double seconds(const char* key, double otherwise, double most);
    /// The index of the word among those known.
    std::size_t word(const char* key, std::span<const char* const> known, std::size_t otherwise);
    /// Null if it is absent.
    const Json* value(const char* key);
    [[nodiscard]] bool has(const char* key) const { return given_.contains(key); }

    /// Who asks: only to be told from others.
    const void* asker = nullptr;

    /// Throws WrongParams for members that were not asked for.
    void end() const;

private:
    [[noreturn]] void refuse(const char* key, const std::string& wanted, const Json& found) const;

    const Json given_;
    std::set<std::string, std::less<>> known_;
};

} // namespace interposed::control
