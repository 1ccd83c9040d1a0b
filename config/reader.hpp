#pragma once

#include "config/positioned_json.hpp"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

/// The strict walk over the tree: each step takes one kind of value or reports a fault.
namespace interposed::config {

/// A value and the way to it. A chain on the stack, for a path is put together only when there
/// is a fault to report or a place to keep.
struct Node {
    const Value& value;
    const Node* parent = nullptr;
    std::string_view key = {}; ///< in an object
    std::size_t index = 0;     ///< in an array

    [[nodiscard]] Node element(std::size_t i) const;
    [[nodiscard]] std::string path() const;
    [[nodiscard]] Place place() const;
};

class Reader {
public:
    explicit Reader(std::vector<Fault>& faults) : faults_(faults) {}

    [[nodiscard]] std::vector<Fault>& faults() { return faults_; }
    void fault(const Node& at, std::string message);
    void fault(const Place& place, std::string message);
    /// "want WANTED, got what is there".
    void refuse(const Node& at, std::string_view wanted);

    /// These give nullptr, or nothing, for another kind of value, and report it.
    const Object* object(const Node& at, std::string_view wanted);
    const Array* array(const Node& at, std::string_view wanted);
    const std::string* text(const Node& at, std::string_view wanted);
    std::optional<bool> truth(const Node& at);
    std::optional<std::uint64_t> size(const Node& at);
    std::optional<std::uint32_t> count(const Node& at, std::uint32_t least, std::uint32_t most);
    std::optional<std::uint64_t> number(const Node& at, std::uint64_t least, std::uint64_t most);
    /// The index of the word among those known.
    std::optional<std::size_t> word(const Node& at, std::span<const std::string_view> known);

    /// What `parse` returns, or a fault of what it throws as std::invalid_argument.
    template <class Parse>
    std::optional<std::invoke_result_t<Parse>> attempt(const Node& at, Parse parse) {
        try {
            return parse();
        } catch (const std::invalid_argument& why) {
            fault(at, why.what());
            return std::nullopt;
        }
    }

private:
    std::vector<Fault>& faults_;
};

/// One kind of object of the file and the keys it can have.
struct Level {
    std::string_view name; ///< "in a segment"
    std::span<const std::string_view> keys;
};

extern const Level top_level;
extern const Level limits_level;
extern const Level listener_level;
extern const Level rule_level;
extern const Level export_level;
extern const Level segment_level;
extern const Level table_level;
extern const Level qos_level;
extern const Level client_qos_level;
extern const Level attach_level;
extern const Level interposed_level;
extern const Level control_level;
extern const Level run_as_level;
extern const Level metrics_level;
extern const Level tls_level;
extern const Level log_level;

/// The members of one object by name. Unknown keys are reported when it is made.
class Fields {
public:
    Fields(Reader& reader, const Node& at, const Object& object, const Level& level);

    [[nodiscard]] std::optional<Node> find(std::string_view key) const;
    /// Which of these words it is, if it is there. Another value is a fault.
    [[nodiscard]] std::optional<std::size_t> word(std::string_view key,
                                                  std::span<const std::string_view> known) const;
    /// As find, but its absence is a fault.
    std::optional<Node> require(std::string_view key);
    [[nodiscard]] const Level& level() const { return level_; }

private:
    Reader& reader_;
    const Node& at_;
    const Object& object_;
    const Level& level_;
};

} // namespace interposed::config
