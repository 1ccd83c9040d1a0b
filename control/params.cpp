#include "control/params.hpp"

#include "config/quotes.hpp"

#include <algorithm>
#include <cmath>

namespace interposed::control {

namespace {

std::string beginning_of(const Json& value) {
    constexpr std::size_t longest = 80;
    std::string text = text_of(value);
    if (text.size() > longest)
        text = text.substr(0, longest) + "...";
    return text;
}

} // namespace

std::string text_of(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Params::Params(Json given) : given_(given.is_null() ? Json::object() : std::move(given)) {
    if (!given_.is_object())
        throw WrongParams("params: want an object, found " + beginning_of(given_));
}

const Json* Params::value(const char* key) {
    known_.insert(key);
    const auto found = given_.find(key);
    return found == given_.end() || found->is_null() ? nullptr : &*found;
}

void Params::refuse(const char* key, const std::string& wanted, const Json& found) const {
    throw WrongParams("params." + std::string(key) + ": want " + wanted + ", found " +
                      beginning_of(found));
}

std::optional<std::string> Params::optional_text(const char* key) {
    const Json* const found = value(key);
    if (found == nullptr)
        return std::nullopt;
    if (!found->is_string())
        refuse(key, "a string", *found);
    return found->get<std::string>();
}

std::string Params::text(const char* key) {
    auto found = optional_text(key);
    if (!found)
        throw WrongParams("params." + std::string(key) + ": want a string, found nothing");
    return std::move(*found);
}

bool Params::truth(const char* key, bool otherwise) {
    const Json* const found = value(key);
    if (found == nullptr)
        return otherwise;
    if (!found->is_boolean())
        refuse(key, "true or false", *found);
    return found->get<bool>();
}

std::optional<std::uint64_t> Params::number(const char* key) {
    const Json* const found = value(key);
    if (found == nullptr)
        return std::nullopt;
    if (!found->is_number_unsigned())
        refuse(key, "a whole number from 0 on", *found);
    return found->get<std::uint64_t>();
}

double Params::seconds(const char* key, double otherwise, double most) {
    const Json* const found = value(key);
    if (found == nullptr)
        return otherwise;
    const double seconds = found->is_number() ? found->get<double>() : 0;
    if (!(seconds > 0) || seconds > most)
        refuse(key, "seconds above 0, at most " + std::to_string(std::lround(most)), *found);
    return seconds;
}

std::size_t Params::word(const char* key, std::span<const char* const> known,
                         std::size_t otherwise) {
    const auto word = optional_text(key);
    if (!word)
        return otherwise;
    const auto found = std::find(known.begin(), known.end(), *word);
    if (found == known.end()) {
        std::string all;
        for (const char* each : known)
            all += (all.empty() ? "" : ", ") + std::string(each);
        refuse(key, "one of " + all, Json(*word));
    }
    return static_cast<std::size_t>(found - known.begin());
}

void Params::end() const {
    for (const auto& [key, value] : given_.items()) {
        if (!known_.contains(key))
            throw WrongParams("params: unknown member " + config::in_quotes(key));
    }
}

} // namespace interposed::control
