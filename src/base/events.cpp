// SPDX-License-Identifier: MIT
#include "base/events.h"

#include "base/json.h"

namespace suoke {

static std::string json_of(std::initializer_list<LogField> fields) {
    std::string out;
    JsonWriter json(out);
    json.open('{');
    for (const LogField& field : fields) {
        json.key(field.key);
        std::visit([&](const auto& value) { json.value(value); }, field.value);
    }
    json.close('}');
    return out;
}

void Events::tell(Level level, std::string_view type, std::initializer_list<LogField> fields) {
    Event event;
    event.at = clock_.wall();
    event.type = type;
    event.data = json_of(fields);
    std::function<void()> listener;
    {
        std::lock_guard lock(mutex_);
        event.id = newest_.load(std::memory_order_relaxed) + 1;
        kept_.push_back(std::move(event));
        if (kept_.size() > kKept) kept_.pop_front();
        newest_.fetch_add(1, std::memory_order_release);
        listener = listener_;
    }
    if (log_) log_->write(level, "events", type, fields);
    if (listener) listener();
}

void Events::explain(std::string_view type, std::initializer_list<LogField> fields) {
    if (log_ && log_->enabled(Level::debug, "events")) log_->debug("events", type, fields);
}

std::vector<Event> Events::after(std::uint64_t id, std::size_t most) const {
    std::lock_guard lock(mutex_);
    std::vector<Event> out;
    for (const Event& event : kept_) {
        if (event.id <= id) continue;
        if (out.size() == most) break;
        out.push_back(event);
    }
    return out;
}

void Events::set_listener(std::function<void()> listener) {
    std::lock_guard lock(mutex_);
    listener_ = std::move(listener);
}

}  // namespace suoke
