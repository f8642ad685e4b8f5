// SPDX-License-Identifier: MIT
#include "discovery/file_source.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/text.h"
#include "discovery/instance_file.h"
#include "discovery/small_file.h"

namespace suoke::discovery {
namespace {

namespace fs = std::filesystem;

// Editors and Kubernetes keep files of their own beside ours; their names begin with a dot.
std::optional<FileFormat> format_of(const fs::path& path) {
    if (path.filename().native().starts_with('.')) return std::nullopt;
    std::string extension = to_lower(path.extension().native());
    if (extension == ".json") return FileFormat::json;
    if (extension == ".yaml" || extension == ".yml") return FileFormat::yaml;
    return std::nullopt;
}

Error with_path(const std::string& path, const Error& error) { return Error(error.code, path + ":" + error.detail); }

std::string service_of(const InstanceFile& file, const fs::path& path) {
    return file.service.empty() ? path.stem().native() : file.service;
}

}  // namespace

FileSource::FileSource(rt::Loop& loop, FileOptions options, Listener& listener)
    : loop_(loop), options_(std::move(options)), news_(listener) {
    look_at(loop_.now() + Duration(1));  // the listener is told nothing in the constructor
}

// The watch comes before the reading, so that no change falls between them. After a failure it is made
// anew: what it watched may have been replaced as a whole.
void FileSource::expired() {
    if (failing_) watch_.reset();
    if (!watch_) watch();
    auto all = read();
    failing_ = !all;
    look_at(loop_.now() + std::max<Duration>(all ? options_.reread : options_.retry, std::chrono::milliseconds(100)));
    if (all) return news_.found(std::move(*all));
    news_.failed(all.error());
}

// Without a watch, when the system has none left, it is looked at from time to time all the same.
void FileSource::watch() {
    std::error_code none;
    auto make = fs::is_directory(options_.path, none) ? rt::watch_directory : rt::watch_file;
    try {
        watch_ = make(loop_, options_.path, [this] { look_at(loop_.now() + Duration(1)); });
    } catch (const StartupError&) {
        watch_.reset();
    }
}

Result<balance::Instances> FileSource::read() {
    std::error_code none;
    if (!fs::exists(options_.path, none)) return Error(Code::invalid_config, options_.path + ": does not exist; make it");
    if (fs::is_directory(options_.path, none)) return read_directory();
    auto format = format_of(options_.path);
    if (!format) return Error(Code::invalid_config, options_.path + ": is neither a directory nor a .json, .yaml or .yml file");
    auto text = read_small_file(options_.path, options_.max_bytes);
    if (!text) return text.error();
    auto file = read_instance_file(*text, *format);
    if (!file) return with_path(options_.path, file.error());
    bool other = !options_.service.empty() && !file->service.empty() && file->service != options_.service;
    if (other) return Error(Code::invalid_config, options_.path + ": is about the service " + file->service + ", not " + options_.service);
    return std::move(file->instances);
}

Result<std::set<std::string>> FileSource::names_in_directory() const {
    std::set<std::string> names;
    std::error_code error;
    for (fs::directory_iterator entry(options_.path, error), end; !error && entry != end; entry.increment(error)) {
        if (format_of(entry->path())) names.insert(entry->path().filename());
        if (names.size() > options_.max_files)
            return Error(Code::invalid_config, options_.path + ": has more than " + std::to_string(options_.max_files) + " files");
    }
    if (error) return Error(Code::invalid_config, options_.path + ": cannot be read: " + error.message());
    return names;
}

// Whose a file is that nobody can read: by its name, by what it was before, or by what it mentions.
bool FileSource::is_ours_though_bad(const std::string& name, const std::string& text) const {
    return fs::path(name).stem() == options_.service || ours_.contains(name) || text.find(options_.service) != std::string::npos;
}

Result<balance::Instances> FileSource::read_directory() {
    auto names = names_in_directory();
    if (!names) return names.error();
    balance::Instances all;
    std::map<std::string, std::string> from;  // key -> file
    std::set<std::string> ours;
    for (const std::string& name : *names) {
        std::string path = options_.path + "/" + name;
        auto text = read_small_file(path, options_.max_bytes);
        std::error_code none;
        if (!text && !fs::exists(path, none)) continue;  // gone since we looked
        if (!text && !is_ours_though_bad(name, {})) continue;
        if (!text) return text.error();
        auto file = read_instance_file(*text, *format_of(path));
        if (!file && !is_ours_though_bad(name, *text)) continue;
        if (!file) return with_path(path, file.error());
        if (service_of(*file, path) != options_.service) continue;
        ours.insert(name);
        for (balance::Instance& instance : file->instances) {
            auto [other, is_new] = from.try_emplace(instance.key(), name);
            if (!is_new) return Error(Code::invalid_config, path + ": the instance " + instance.key() + " is in " + other->second + ", too; remove one");
            all.push_back(std::move(instance));
        }
    }
    ours_ = std::move(ours);
    return all;
}

}  // namespace suoke::discovery
