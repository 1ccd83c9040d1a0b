#pragma once

#include "config/config.hpp"
#include "config/text.hpp"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// JSON that remembers where each value stands. The library's own document type does not, and
/// keeps only the last of several equal keys without a word.
namespace interposed::config {

struct Value;
struct Member;
using Array = std::vector<Value>;
using Object = std::vector<Member>;

/// As written: each reader decides for itself which numbers it can take.
struct Number {
    std::string literal;
};

struct Value {
    Position at;
    std::variant<std::nullptr_t, bool, Number, std::string, Array, Object> data;
};

struct Member {
    std::string key;
    Position at; ///< of the key
    Value value;
};

struct Document {
    Value root;
    std::vector<Fault> faults; ///< keys given twice; the tree has all of them
};

/// Reads one JSON value with comments. Throws ConfigError for a text that is no JSON.
Document parse_json(std::string_view text, const std::string& file);

/// The value for a message, such as "the number 5" or "an object".
std::string found(const Value& value);

/// A step of a JSON path: ".name", or ["a.b"] where the key is no plain word.
std::string path_step(std::string_view key);
std::string path_step(std::size_t index);

} // namespace interposed::config
