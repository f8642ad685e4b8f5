// SPDX-License-Identifier: MIT
#pragma once
// Puts what the sources say into a Config, led by the definition.

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "base/yaml.h"
#include "config/config.h"
#include "config/definition.h"
#include "config/environment.h"
#include "config/report.h"

namespace suoke::config {

enum class Source { defaults, file, dotenv, environment, flags };  // weakest first

class Decoder {
 public:
    Decoder(Config& config, Report& report, Variables& variables)
        : config_(config), report_(report), variables_(variables) {}

    void begin(Source source) { source_ = source; }
    void document(const yaml::Node& root, const std::string& name);
    // A value from a variable or a flag. Lists are split at commas, or written as in YAML.
    void text(const Leaf& leaf, std::string_view text, const Place& place);
    // One field of a service; `key` may spell '-' as '_'.
    void service_text(const std::string& key, const std::string& field, std::string_view text,
                      const Place& place);

    // The source that had the last word on a key.
    Source source_of(std::string_view path) const;

 private:
    // A position in the tree: as written, and as the definition knows it ("routes.*.timeout").
    struct At {
        std::string shown;
        std::string pattern;
        At key(std::string_view name) const;
        At element(std::string_view name) const;
        At item(std::size_t index) const;
    };
    struct Said {
        std::string as;
        Place place;
    };

    void object(const yaml::Node& node, const Fields* fields, void* object, const At& at);
    void entry(const yaml::Entry& entry, const Fields* fields, void* object, const At& at);
    void leaf(const Leaf& leaf, const yaml::Node& node, const At& at, const Place& key_place);
    void value(const Field& field, const Shape& shape, const yaml::Node& node, void* value,
               const At& at);
    void scalar(const Field& field, const Shape& shape, const yaml::Node& node, void* value,
                const At& at);
    void list(const Field& field, const Shape& shape, const yaml::Node& node, void* value,
              const At& at);
    void map(const Field& field, const Shape& shape, const yaml::Node& node, void* value,
             const At& at);
    void map_element(const Field& field, const Shape& shape, std::string_view key,
                     const Place& key_place, const yaml::Node& node, void* value, const At& at);
    void named_items(const Field& field, const Shape& shape, const yaml::Node& node, void* value,
                     const At& at);
    bool read(const Field& field, const Shape& shape, std::string_view text, void* value,
              const std::string& key, const Place& place);
    void pieces(const Field& field, const Shape& shape, std::string_view text, void* value,
                const std::string& key, const Place& place);
    void unknown(const At& at, std::string_view name, const Fields* fields, std::string_view group,
                 const Place& place);
    void warn_of_later_keys();
    Place place_of(int line, int column) const;
    Place place_of(const yaml::Node& node) const { return place_of(node.line, node.column); }

    Config& config_;
    Report& report_;
    Variables& variables_;
    Source source_ = Source::defaults;
    std::string name_;                               // of the document
    const Place* variable_ = nullptr;                // set while a variable's value is read as YAML
    std::map<std::string, Said, std::less<>> said_;  // leaves this document gave, by path
    struct Seen {
        std::string shown;
        Place place;
        int times = 0;
    };
    std::map<const Later*, Seen> later_;
    std::map<std::string, Source, std::less<>> sources_;
};

// A value for a sentence: cut when long, and without control characters.
std::string clipped(std::string_view text);

}  // namespace suoke::config
