// SPDX-License-Identifier: MIT
// valijson reads the schema and resolves its references; the walk over what it made is ours: its own runs std::regex over
// whatever a client sends (which recurses for each byte), throws where a format meets a number, and knows no limits.
#include "validation/schema.h"

#define VALIJSON_USE_EXCEPTIONS 1
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <new>
#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/constraint_builder.hpp>
#include <valijson/constraints/concrete_constraints.hpp>
#include <valijson/constraints/constraint_visitor.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>

#include "validation/formats.h"

namespace suoke::validation {

using valijson::Subschema;
using Adapter = valijson::adapters::NlohmannJsonAdapter;

struct Schema::Compiled {
    struct Choice {
        std::uint64_t hash;
        Tree value;
    };
    valijson::Schema schema;
    std::map<std::string, std::unique_ptr<RE2>, std::less<>> patterns;
    std::vector<std::vector<Choice>> choices;   // of each `enum`, in the order of their hashes
};

namespace {

constexpr int kDeepest = 600;                 // schemas in schemas, of any document: those that go round in circles end here
// Some schemas take time that doubles with each level of the document: unions of what holds itself. A step is some 50 ns, so what
// a request may cost grows with what it sent.
constexpr std::int64_t kMostSteps = 2'000'000, kStepsOfAny = 50'000, kStepsOfByte = 20;
constexpr std::int64_t kStepsOfFault = 5;     // for each step of its place
constexpr std::size_t kBytesOfStep = 256;     // of a text that a pattern or a format goes over

std::int64_t steps_for(std::uint64_t size) {
    bool large = size >= static_cast<std::uint64_t>(kMostSteps / kStepsOfByte);
    return large ? kMostSteps : std::min(kMostSteps, kStepsOfAny + kStepsOfByte * static_cast<std::int64_t>(size));
}

constexpr double kTwo63 = 9223372036854775808.0;

// Whole numbers keep all their digits: those beyond 2^53 that a double cannot tell apart would all be alike otherwise.
std::uint64_t hash_of_number(const Tree& value) {
    if (value.is_number_unsigned()) return std::hash<std::uint64_t>()(value.get<std::uint64_t>());
    double number = value.get<double>();
    bool positive = number >= 0 && number < 2 * kTwo63, negative = number < 0 && number >= -kTwo63;
    bool whole = value.is_number_integer() || std::floor(number) == number;
    if (!whole || !(positive || negative)) return std::hash<double>()(number);
    if (positive) return std::hash<std::uint64_t>()(value.is_number_integer() ? value.get<std::uint64_t>() : static_cast<std::uint64_t>(number));
    return ~std::hash<std::int64_t>()(value.is_number_integer() ? value.get<std::int64_t>() : static_cast<std::int64_t>(number));
}

// Numbers that are equal have the same one, whichever way they are written. Counts the values it looks at.
std::uint64_t hash_of(const Tree& value, std::int64_t& steps) {
    auto mix = [](std::uint64_t a, std::uint64_t b) { return (a ^ b) * 0x9E3779B97F4A7C15u + (a >> 29); };
    std::uint64_t hash = static_cast<std::uint64_t>(value.type());
    ++steps;
    if (value.is_number()) return mix(1, hash_of_number(value));
    if (value.is_string()) return mix(2, std::hash<std::string>()(value.get_ref<const std::string&>()));
    if (value.is_boolean()) return mix(3, value.get<bool>());
    if (value.is_array())
        for (const Tree& item : value) hash = mix(hash, hash_of(item, steps));
    if (value.is_object())
        for (const auto& [name, member] : value.items()) hash = mix(mix(hash, std::hash<std::string>()(name)), hash_of(member, steps));
    return hash;
}

// How a number stands to a bound: below 0, 0, above 0. A whole number is not rounded to a double first: 2^53 + 1 is more than 2^53.
int compare(const Tree& number, double bound) {
    auto told = [](auto a, auto b) { return a < b ? -1 : a > b ? 1 : 0; };
    if (!number.is_number_integer()) return told(number.get<double>(), bound);
    double whole = std::floor(bound);
    int by_whole = 0;
    if (number.is_number_unsigned()) {
        if (whole < 0) return 1;
        if (whole >= 2 * kTwo63) return -1;
        by_whole = told(number.get<std::uint64_t>(), static_cast<std::uint64_t>(whole));
    } else {
        if (whole < -kTwo63) return 1;
        if (whole >= kTwo63) return -1;
        by_whole = told(number.get<std::int64_t>(), static_cast<std::int64_t>(whole));
    }
    return by_whole == 0 && whole < bound ? -1 : by_whole;
}

// What a fault says of a name that a client has chosen: all of it would make long answers of short requests.
std::string shown(std::string_view name) {
    constexpr std::size_t kMost = 100;
    if (name.size() <= kMost) return std::string(name);
    std::size_t end = kMost;
    while (end > 0 && (name[end] & 0xC0) == 0x80) --end;   // not in the middle of a character; names of a query need not be UTF-8
    return std::string(name.substr(0, end)) + "...";
}

bool is_whole(const Tree& value) {
    if (value.is_number_integer()) return true;
    return value.is_number_float() && std::floor(value.get<double>()) == value.get<double>();
}

std::uint64_t characters_of(const std::string& text) {
    return static_cast<std::uint64_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

struct TypeWords {
    valijson::constraints::TypeConstraint::JsonType type;
    const char* name;      // of the fault, when it is the only one
    const char* message;
    const char* noun;      // when it is one of several
};
using Types = valijson::constraints::TypeConstraint;
constexpr std::array<TypeWords, 7> kTypes = {{
    {Types::kString, "string_type", "Input should be a valid string", "a string"},
    {Types::kInteger, "int_type", "Input should be a valid integer", "an integer"},
    {Types::kNumber, "float_type", "Input should be a valid number", "a number"},
    {Types::kBoolean, "bool_type", "Input should be true or false", "true or false"},
    {Types::kArray, "list_type", "Input should be a valid list", "a list"},
    {Types::kObject, "dict_type", "Input should be an object", "an object"},
    {Types::kNull, "none_required", "Input should be null", "null"},
}};

bool has_type(const Tree& value, Types::JsonType type) {
    switch (type) {
        case Types::kAny: return true;
        case Types::kArray: return value.is_array();
        case Types::kBoolean: return value.is_boolean();
        case Types::kInteger: return is_whole(value);
        case Types::kNull: return value.is_null();
        case Types::kNumber: return value.is_number();
        case Types::kObject: return value.is_object();
        case Types::kString: return value.is_string();
    }
    return false;
}

// An `enum`, as a place in Compiled::choices. valijson's own compares a value with each of its list, and takes its time: a megabyte
// of country codes against all there are took half a minute.
class ChoicesConstraint final : public valijson::constraints::Constraint {
 public:
    explicit ChoicesConstraint(std::size_t index) : index_(index) {}
    bool accept(valijson::constraints::ConstraintVisitor& visitor) const override;   // a Walk
    OwningPointer clone(CustomAlloc allocate, CustomFree release) const override {
        void* room = allocate(sizeof(ChoicesConstraint));
        if (!room) throw std::bad_alloc();
        return OwningPointer(new (room) ChoicesConstraint(*this), release);
    }

 private:
    std::size_t index_;
};

class ChoicesBuilder final : public valijson::ConstraintBuilder {
    valijson::constraints::Constraint* make(const valijson::adapters::Adapter& number) const override {
        return new ChoicesConstraint(static_cast<std::size_t>(number.getInteger()));
    }
};

// One check of one document.
class Walk final : public valijson::constraints::ConstraintVisitor {
 public:
    Walk(const Schema::Compiled& compiled, std::string_view where, Faults& out, std::int64_t most_steps)
        : compiled_(compiled),
          most_steps_(most_steps),
          where_(where),
          out_(&out),
          apply_([this](const valijson::constraints::Constraint& each) { return goes_on() && each.accept(*this); }) {}
    Walk(const Walk&) = delete;
    Walk& operator=(const Walk&) = delete;

    bool is_one_of(const std::vector<Schema::Compiled::Choice>& choices) {
        std::uint64_t hash = hash_of(*value_, steps_);
        auto before = [](const Schema::Compiled::Choice& each, std::uint64_t wanted) { return each.hash < wanted; };
        auto at = std::lower_bound(choices.begin(), choices.end(), hash, before);
        for (; at != choices.end() && at->hash == hash; ++at)
            if (at->value == *value_) return true;
        return fault("enum", "Input should be one of the values that are allowed here");
    }
    const Schema::Compiled& compiled() const { return compiled_; }

    void run(const Tree& value) {
        holds(compiled_.schema, value);
        if (exhausted()) *out_ = {Fault{"too_complex", std::string(where_), {}, "Input takes too long to check"}};
    }

 private:
    struct Here {
        const std::string* name;   // null: an item
        std::int64_t index;
    };

    // ---- walking

    bool exhausted() const { return steps_ >= most_steps_ || depth_ >= kDeepest || too_deep_; }
    bool goes_on() const { return !exhausted() && (quiet_ || out_->size() < kMostFaults); }
    // After one of several: whether the others are looked at.
    bool goes_on(bool fine_so_far) const { return goes_on() && (fine_so_far || !quiet_); }

    bool holds(const Subschema& schema, const Tree& value) {
        if (schema.getAlwaysInvalid()) return fault("value_error", "Nothing is allowed here");
        if (depth_ + 1 >= kDeepest) return too_deep_ = true, false;
        ++depth_, ++steps_;
        const Tree* before = std::exchange(value_, &value);
        bool fine = quiet_ ? schema.applyStrict(apply_) : schema.apply(apply_);
        value_ = before;
        --depth_;
        return fine && !exhausted();
    }
    bool holds_quietly(const Subschema& schema, const Tree& value) {
        bool before = std::exchange(quiet_, true);
        bool fine = holds(schema, value);
        quiet_ = before;
        return fine;
    }
    bool member_holds(const Subschema& schema, const std::string& name, const Tree& value) {
        here_.push_back({&name, 0});
        bool fine = holds(schema, value);
        here_.pop_back();
        return fine;
    }
    bool item_holds(const Subschema& schema, std::size_t index, const Tree& value) {
        here_.push_back({nullptr, static_cast<std::int64_t>(index)});
        bool fine = holds(schema, value);
        here_.pop_back();
        return fine;
    }

    // Always false: what is looked at is wrong; `member` of it, when it is given. Where unions hold each other most faults are thrown
    // away again, and making one takes the time of many steps.
    bool fault(std::string_view type, std::string message, std::string_view member = {}) {
        if (quiet_ || out_->size() >= kMostFaults) return false;
        steps_ += kStepsOfFault * static_cast<std::int64_t>(1 + here_.size());
        Fault made{std::string(type), std::string(where_), {}, std::move(message)};
        for (const Here& step : here_) step.name ? made.place.push_back({shown(*step.name)}) : made.place.push_back({"", step.index});
        if (!member.empty()) made.place.push_back({shown(member)});
        out_->push_back(std::move(made));
        return false;
    }

    // None of several schemas holds: the faults of the one that got furthest, or else a word about all of them.
    template <class Constraint>
    bool explain(const Constraint& constraint) {
        if (quiet_) return false;
        Faults best;
        std::size_t furthest = here_.size();
        constraint.applyToSubschemas([&](unsigned, const Subschema* schema) {
            Faults tried;
            Faults* before = std::exchange(out_, &tried);
            holds(*schema, *value_);
            out_ = before;
            auto nearer = [](const Fault& a, const Fault& b) { return a.place.size() < b.place.size(); };
            auto nearest = std::min_element(tried.begin(), tried.end(), nearer);
            if (nearest != tried.end() && nearest->place.size() > furthest) furthest = nearest->place.size(), best = std::move(tried);
            return goes_on();
        });
        if (best.empty()) return fault("any_of", "Input should be one of several things, and is none of them");
        for (Fault& each : best)
            if (out_->size() < kMostFaults) out_->push_back(std::move(each));
        return false;
    }

    bool matches(std::string_view pattern, const std::string& text) {
        go_over(text);
        auto found = compiled_.patterns.find(pattern);
        return found != compiled_.patterns.end() && RE2::PartialMatch(text, *found->second);
    }
    void go_over(const std::string& text) { steps_ += static_cast<std::int64_t>(text.size() / kBytesOfStep); }

    // ---- several schemas

    bool visit(const AllOfConstraint& all) override {
        bool fine = true;
        all.applyToSubschemas([&](unsigned, const Subschema* schema) {
            fine = holds(*schema, *value_) && fine;
            return goes_on(fine);
        });
        return fine;
    }
    template <class Constraint>
    unsigned count_fitting(const Constraint& constraint, unsigned most) {
        unsigned fitting = 0;
        constraint.applyToSubschemas([&](unsigned, const Subschema* schema) {
            fitting += holds_quietly(*schema, *value_);
            return fitting < most && !exhausted();
        });
        return fitting;
    }
    bool visit(const AnyOfConstraint& any) override { return count_fitting(any, 1) > 0 || explain(any); }
    bool visit(const OneOfConstraint& one) override {
        unsigned fitting = count_fitting(one, 2);
        if (fitting > 1) return fault("one_of", "Input should be exactly one of several things, and is more than one of them");
        return fitting == 1 || explain(one);
    }
    bool visit(const NotConstraint& not_this) override {
        return !holds_quietly(*not_this.getSubschema(), *value_) || fault("not_allowed", "Input should not be like this");
    }
    bool visit(const ConditionalConstraint& condition) override {
        bool applies = holds_quietly(*condition.getIfSubschema(), *value_);
        const Subschema* then = applies ? condition.getThenSubschema() : condition.getElseSubschema();
        return !then || holds(*then, *value_);
    }
    bool visit(const PolyConstraint&) override { return true; }   // we make none

    // ---- any value

    bool visit(const TypeConstraint& constraint) override {
        bool fine = false;
        constraint.applyToNamedTypes([&](Types::JsonType type) { return !(fine = has_type(*value_, type)); });
        if (fine || quiet_) return fine;
        const TypeWords* only = nullptr;
        std::string several;
        int count = 0;
        for (const TypeWords& words : kTypes) {
            bool listed = false;
            constraint.applyToNamedTypes([&](Types::JsonType type) { return !(listed = type == words.type); });
            if (!listed) continue;
            only = &words;
            several += (count++ ? ", or " : "") + std::string(words.noun);
        }
        return count == 1 ? fault(only->name, only->message) : fault("type_error", "Input should be " + several);
    }
    bool visit(const ConstConstraint& constraint) override {
        return constraint.getValue()->equalTo(Adapter(*value_), true) || fault("literal_error", "Input should be the one value that is allowed here");
    }
    bool visit(const EnumConstraint&) override { return true; }   // beside it stands a ChoicesConstraint

    // ---- texts

    bool visit(const MinLengthConstraint& constraint) override {
        bool fine = !value_->is_string() || characters_of(value_->get_ref<const std::string&>()) >= constraint.getMinLength();
        return fine || fault("string_too_short", fmt::format("String should have at least {} characters", constraint.getMinLength()));
    }
    bool visit(const MaxLengthConstraint& constraint) override {
        bool fine = !value_->is_string() || characters_of(value_->get_ref<const std::string&>()) <= constraint.getMaxLength();
        return fine || fault("string_too_long", fmt::format("String should have at most {} characters", constraint.getMaxLength()));
    }
    bool visit(const PatternConstraint& constraint) override {
        if (!value_->is_string()) return true;
        std::string text;
        constraint.getPattern(text);
        return matches(text, value_->get_ref<const std::string&>()) || fault("string_pattern_mismatch", "String should match the pattern '" + text + "'");
    }
    bool visit(const FormatConstraint& constraint) override {
        std::string format = constraint.getFormat();
        if (value_->is_number() && (format == "int32" || format == "int64")) {
            double most = format == "int32" ? 2147483648.0 : kTwo63;
            bool fits = compare(*value_, -most) >= 0 && compare(*value_, most) < 0;
            return fits || fault("int_type", "Input should be a number of " + format.substr(3) + " bits");
        }
        if (!value_->is_string()) return true;
        const std::string& text = value_->get_ref<const std::string&>();
        go_over(text);
        return has_format(text, format) || fault("value_error", "Input should be a valid " + format);
    }

    // ---- numbers

    bool visit(const MaximumConstraint& constraint) override {
        if (!value_->is_number()) return true;
        double most = constraint.getMaximum();
        int order = compare(*value_, most);
        if (constraint.getExclusiveMaximum()) return order < 0 || fault("less_than", fmt::format("Input should be less than {}", most));
        return order <= 0 || fault("less_than_equal", fmt::format("Input should be less than or equal to {}", most));
    }
    bool visit(const MinimumConstraint& constraint) override {
        if (!value_->is_number()) return true;
        double least = constraint.getMinimum();
        int order = compare(*value_, least);
        if (constraint.getExclusiveMinimum()) return order > 0 || fault("greater_than", fmt::format("Input should be greater than {}", least));
        return order >= 0 || fault("greater_than_equal", fmt::format("Input should be greater than or equal to {}", least));
    }
    bool visit(const MultipleOfIntConstraint& constraint) override {
        std::int64_t divisor = constraint.getDivisor();
        if (divisor <= 0 || !value_->is_number()) return true;
        bool fine = value_->is_number_unsigned()  ? value_->get<std::uint64_t>() % static_cast<std::uint64_t>(divisor) == 0
                    : value_->is_number_integer() ? value_->get<std::int64_t>() % divisor == 0
                                                  : std::fmod(value_->get<double>(), static_cast<double>(divisor)) == 0;
        return fine || fault("multiple_of", fmt::format("Input should be a multiple of {}", divisor));
    }
    // 0.3 is a multiple of 0.1, though not in binary.
    bool visit(const MultipleOfDoubleConstraint& constraint) override {
        double divisor = constraint.getDivisor();
        if (divisor <= 0 || !value_->is_number()) return true;
        double times = value_->get<double>() / divisor;
        bool fine = std::isfinite(times) && std::abs(times - std::round(times)) <= 1e-9 * std::max(1.0, std::abs(times));
        return fine || fault("multiple_of", fmt::format("Input should be a multiple of {}", divisor));
    }

    // ---- lists

    bool visit(const MinItemsConstraint& constraint) override {
        bool fine = !value_->is_array() || value_->size() >= constraint.getMinItems();
        return fine || fault("too_short", fmt::format("List should have at least {} items", constraint.getMinItems()));
    }
    bool visit(const MaxItemsConstraint& constraint) override {
        bool fine = !value_->is_array() || value_->size() <= constraint.getMaxItems();
        return fine || fault("too_long", fmt::format("List should have at most {} items", constraint.getMaxItems()));
    }
    bool visit(const SingularItemsConstraint& constraint) override {
        bool fine = true;
        const Tree& list = *value_;
        for (std::size_t i = 0; list.is_array() && i < list.size() && goes_on(fine); ++i) fine = item_holds(*constraint.getItemsSubschema(), i, list[i]) && fine;
        return fine;
    }
    bool visit(const LinearItemsConstraint& constraint) override {
        const Tree& list = *value_;
        if (!list.is_array()) return true;
        bool fine = true;
        constraint.applyToItemSubschemas([&](unsigned index, const Subschema* schema) {
            if (index >= list.size()) return false;
            fine = item_holds(*schema, index, list[index]) && fine;
            return goes_on(fine);
        });
        const Subschema* more = constraint.getAdditionalItemsSubschema();
        std::size_t listed = constraint.getItemSubschemaCount();
        if (!more && list.size() > listed) return fault("too_long", fmt::format("List should have at most {} items", listed));
        for (std::size_t i = listed; i < list.size() && goes_on(fine); ++i) fine = item_holds(*more, i, list[i]) && fine;
        return fine;
    }
    bool visit(const ContainsConstraint& constraint) override {
        if (!value_->is_array()) return true;
        for (const Tree& item : *value_)
            if (holds_quietly(*constraint.getSubschema(), item)) return true;
        return fault("contains", "List should have an item that it has not");
    }
    bool visit(const UniqueItemsConstraint&) override {
        if (!value_->is_array()) return true;
        std::vector<std::pair<std::uint64_t, const Tree*>> items;
        for (const Tree& item : *value_) items.emplace_back(hash_of(item, steps_), &item);
        std::sort(items.begin(), items.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        for (std::size_t i = 0; i < items.size(); ++i)
            for (std::size_t k = i + 1; k < items.size() && items[k].first == items[i].first && !exhausted(); ++k, ++steps_)
                if (*items[i].second == *items[k].second) return fault("unique_items", "List should have no item twice");
        return true;
    }

    // ---- objects

    bool visit(const MinPropertiesConstraint& constraint) override {
        bool fine = !value_->is_object() || value_->size() >= constraint.getMinProperties();
        return fine || fault("too_short", fmt::format("Object should have at least {} members", constraint.getMinProperties()));
    }
    bool visit(const MaxPropertiesConstraint& constraint) override {
        bool fine = !value_->is_object() || value_->size() <= constraint.getMaxProperties();
        return fine || fault("too_long", fmt::format("Object should have at most {} members", constraint.getMaxProperties()));
    }
    bool visit(const RequiredConstraint& constraint) override {
        if (!value_->is_object()) return true;
        bool fine = true;
        constraint.applyToRequiredProperties([&](const auto& name) {
            if (!value_->contains(name.c_str())) fine = fault("missing", "Field required", name.c_str());
            return goes_on(fine);
        });
        return fine;
    }
    bool visit(const PropertiesConstraint& constraint) override {
        const Tree& object = *value_;
        if (!object.is_object()) return true;
        bool fine = true;
        std::vector<const Tree*> spoken_of;
        constraint.applyToProperties([&](const auto& name, const Subschema* schema) {
            auto member = object.find(name.c_str());
            if (member == object.end()) return true;
            spoken_of.push_back(&*member);
            fine = member_holds(*schema, member.key(), *member) && fine;
            return goes_on(fine);
        });
        constraint.applyToPatternProperties([&](const auto& text, const Subschema* schema) {
            for (auto member = object.begin(); member != object.end() && goes_on(fine); ++member) {
                if (!matches(text.c_str(), member.key())) continue;
                spoken_of.push_back(&*member);
                fine = member_holds(*schema, member.key(), *member) && fine;
            }
            return goes_on(fine);
        });
        return goes_on(fine) ? others_hold(constraint.getAdditionalPropertiesSubschema(), std::move(spoken_of)) && fine : fine;
    }
    // Members that no other schema speaks of; null: there may be none.
    bool others_hold(const Subschema* schema, std::vector<const Tree*> spoken_of) {
        if (schema == compiled_.schema.emptySubschema()) return true;
        const Tree& object = *value_;
        std::sort(spoken_of.begin(), spoken_of.end());
        bool fine = true;
        for (auto member = object.begin(); member != object.end() && goes_on(fine); ++member) {
            if (std::binary_search(spoken_of.begin(), spoken_of.end(), &*member)) continue;
            bool good = schema ? member_holds(*schema, member.key(), *member) : fault("extra_forbidden", "Extra inputs are not permitted", member.key());
            fine = good && fine;
        }
        return fine;
    }
    bool visit(const PropertyNamesConstraint& constraint) override {
        bool fine = true;
        const Tree& object = *value_;
        if (!object.is_object()) return true;
        for (auto member = object.begin(); member != object.end() && goes_on(fine); ++member) {
            Tree name = member.key();
            fine = member_holds(*constraint.getSubschema(), member.key(), name) && fine;
        }
        return fine;
    }
    bool visit(const DependenciesConstraint& constraint) override {
        if (!value_->is_object()) return true;
        bool fine = true;
        constraint.applyToPropertyDependencies([&](const auto& name, const auto& others) {
            if (!value_->contains(name.c_str())) return true;
            for (const auto& other : others)
                if (!value_->contains(other.c_str())) fine = fault("missing", "Field required", other.c_str());
            return goes_on(fine);
        });
        constraint.applyToSchemaDependencies([&](const auto& name, const Subschema* schema) {
            if (value_->contains(name.c_str())) fine = holds(*schema, *value_) && fine;
            return goes_on(fine);
        });
        return fine;
    }

    const Schema::Compiled& compiled_;
    const std::int64_t most_steps_;
    const std::string_view where_;
    Faults* out_;
    Subschema::ApplyFunction apply_;
    const Tree* value_ = nullptr;
    std::vector<Here> here_;
    bool quiet_ = false;      // only whether, not what
    bool too_deep_ = false;
    int depth_ = 0;
    std::int64_t steps_ = 0;
};

bool ChoicesConstraint::accept(valijson::constraints::ConstraintVisitor& visitor) const {
    Walk& walk = static_cast<Walk&>(visitor);
    return walk.is_one_of(walk.compiled().choices[index_]);
}

std::vector<Schema::Compiled::Choice> by_hash(const Tree& list) {
    std::vector<Schema::Compiled::Choice> all;
    std::int64_t uncounted = 0;
    for (const Tree& each : list) all.push_back({hash_of(each, uncounted), each});
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.hash < b.hash; });
    return all;
}

}  // namespace

Schema::Schema(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
Schema::~Schema() = default;

void Schema::check(const Tree& value, std::uint64_t size, std::string_view where, Faults& faults) const {
    Walk(*compiled_, where, faults, steps_for(size)).run(value);
}

Result<SchemaPtr> compile(const Translated& translated) {
    auto compiled = std::make_unique<Schema::Compiled>();
    try {
        valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
        parser.addConstraintBuilder(kChoices, new ChoicesBuilder);
        parser.populateSchema(Adapter(*translated.schema), compiled->schema);
    } catch (const std::exception& e) {
        return Error(Code::invalid_config, std::string("the schema is not valid: ") + e.what());
    }
    for (const TreePtr& list : translated.choices) compiled->choices.push_back(by_hash(*list));
    RE2::Options quiet;
    quiet.set_log_errors(false);
    for (const std::string& text : translated.patterns) compiled->patterns.emplace(text, std::make_unique<RE2>(text, quiet));
    return std::make_shared<const Schema>(std::move(compiled));
}

}  // namespace suoke::validation
