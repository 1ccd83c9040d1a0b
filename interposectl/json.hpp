#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace interposed::ctl {

/// What is printed keeps the order in which the server wrote it.
using Json = nlohmann::ordered_json;

/// Reads the members of an object in a server's answer. What the protocol promises and is not
/// there, or is of another type, throws Unreachable: the other end is no server we understand.
class Fields {
public:
    /// `where` names the object for messages: "exports[0]".
    Fields(const Json& object, std::string where);

    [[nodiscard]] std::string text(const char* key) const;
    [[nodiscard]] std::uint64_t number(const char* key) const;
    [[nodiscard]] double real(const char* key) const;
    [[nodiscard]] bool flag(const char* key) const;
    [[nodiscard]] const Json& list(const char* key) const;
    [[nodiscard]] Fields object(const char* key) const;
    /// The same as it is, for those who go over its keys.
    [[nodiscard]] const Json& members(const char* key) const;
    /// An array of strings, or of whole numbers.
    [[nodiscard]] std::vector<std::string> texts(const char* key) const;
    [[nodiscard]] std::vector<std::uint64_t> numbers(const char* key) const;

    /// Null in the answer is nullopt here.
    [[nodiscard]] std::optional<std::string> text_or_null(const char* key) const;
    [[nodiscard]] std::optional<std::uint64_t> number_or_null(const char* key) const;
    [[nodiscard]] std::optional<Fields> object_or_null(const char* key) const;
    [[nodiscard]] const Json* list_or_null(const char* key) const;

    [[nodiscard]] bool has(const char* key) const { return object_->contains(key); }

private:
    [[nodiscard]] const Json& at(const char* key) const;
    [[noreturn]] void refuse(const char* key, const char* wanted) const;

    const Json* object_;
    std::string where_;
};

/// The elements of an array, each as an object. Calls `take(Fields)`.
template <typename Take>
void for_each_object(const Json& list, const std::string& where, Take take) {
    for (std::size_t i = 0; i < list.size(); ++i)
        take(Fields(list[i], where + "[" + std::to_string(i) + "]"));
}

/// The value on one line, or indented for people. No control character is left in it, wherever it
/// came from.
std::string json_text(const Json& value, bool for_people);

} // namespace interposed::ctl
