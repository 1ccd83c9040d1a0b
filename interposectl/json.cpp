#include "interposectl/json.hpp"

#include "interposectl/errors.hpp"
#include "interposectl/text.hpp"

#include <utility>

namespace interposed::ctl {

Fields::Fields(const Json& object, std::string where) : object_(&object), where_(std::move(where)) {
    if (!object.is_object())
        throw Unreachable("the server's answer: want an object at " + where_);
}

void Fields::refuse(const char* key, const char* wanted) const {
    throw Unreachable("the server's answer: want " + std::string(wanted) + " at " + where_ + "." +
                      key);
}

const Json& Fields::at(const char* key) const {
    const auto found = object_->find(key);
    if (found == object_->end())
        refuse(key, "something");
    return *found;
}

std::string Fields::text(const char* key) const {
    const Json& value = at(key);
    if (!value.is_string())
        refuse(key, "a string");
    return value.get<std::string>();
}

std::uint64_t Fields::number(const char* key) const {
    const Json& value = at(key);
    if (!value.is_number_unsigned())
        refuse(key, "a whole number");
    return value.get<std::uint64_t>();
}

double Fields::real(const char* key) const {
    const Json& value = at(key);
    if (!value.is_number())
        refuse(key, "a number");
    return value.get<double>();
}

bool Fields::flag(const char* key) const {
    const Json& value = at(key);
    if (!value.is_boolean())
        refuse(key, "true or false");
    return value.get<bool>();
}

const Json& Fields::list(const char* key) const {
    const Json& value = at(key);
    if (!value.is_array())
        refuse(key, "an array");
    return value;
}

Fields Fields::object(const char* key) const {
    return {at(key), where_ + "." + key};
}

const Json& Fields::members(const char* key) const {
    const Json& value = at(key);
    if (!value.is_object())
        refuse(key, "an object");
    return value;
}

std::vector<std::string> Fields::texts(const char* key) const {
    std::vector<std::string> all;
    for (const Json& each : list(key)) {
        if (!each.is_string())
            refuse(key, "an array of strings");
        all.push_back(each.get<std::string>());
    }
    return all;
}

std::vector<std::uint64_t> Fields::numbers(const char* key) const {
    std::vector<std::uint64_t> all;
    for (const Json& each : list(key)) {
        if (!each.is_number_unsigned())
            refuse(key, "an array of whole numbers");
        all.push_back(each.get<std::uint64_t>());
    }
    return all;
}

std::optional<std::string> Fields::text_or_null(const char* key) const {
    return at(key).is_null() ? std::nullopt : std::optional(text(key));
}

std::optional<std::uint64_t> Fields::number_or_null(const char* key) const {
    return at(key).is_null() ? std::nullopt : std::optional(number(key));
}

std::optional<Fields> Fields::object_or_null(const char* key) const {
    return at(key).is_null() ? std::nullopt : std::optional(object(key));
}

const Json* Fields::list_or_null(const char* key) const {
    return at(key).is_null() ? nullptr : &list(key);
}

std::string json_text(const Json& value, bool for_people) {
    // What harmless() replaces can stand in strings only, and there its escapes mean the same.
    // An error message of ours may quote what is not UTF-8.
    return harmless(value.dump(for_people ? 2 : -1, ' ', false, Json::error_handler_t::replace),
                    true);
}

} // namespace interposed::ctl
