// SPDX-License-Identifier: MIT
#include "store/redis_reader.h"

#include <hiredis/hiredis.h>

#include <new>

namespace suoke::store {

// hiredis is C: nothing may be thrown through it. A callback that returns null ends the reading.
struct RedisReader::Build {
#if HIREDIS_MAJOR >= 1
    using Count = std::size_t;
#else
    using Count = int;
#endif

    static RedisReader& reader(const redisReadTask* task) { return *static_cast<RedisReader*>(task->privdata); }

    static void* refuse(RedisReader& reader, const char* why) {
        if (!reader.refused_) reader.refused_ = why;
        return nullptr;
    }

    // Where the value of this task goes: it is the reply, or the next item of the array it stands in.
    // An array grows only when its last item is whole, so nobody points into what moves then.
    static void* place(const redisReadTask* task, RedisValue value) {
        RedisReader& self = reader(task);
        try {
            if (!task->parent) return new RedisValue(std::move(value));
            int depth = 0;
            for (const redisReadTask* above = task->parent; above; above = above->parent) ++depth;
            if (depth > self.limits_.depth) return refuse(self, "lists are nested too deeply");
            auto* array = static_cast<RedisValue*>(task->parent->obj);
            return &array->items.emplace_back(std::move(value));
        } catch (const std::bad_alloc&) {
            return refuse(self, "out of memory");
        }
    }

    static void* string(const redisReadTask* task, char* bytes, std::size_t size) {
        RedisReader& self = reader(task);
        RedisValue value;
        switch (task->type) {
            case REDIS_REPLY_STRING:
            case REDIS_REPLY_STATUS: value.kind = RedisValue::Kind::string; break;
            case REDIS_REPLY_ERROR: value.kind = RedisValue::Kind::error; break;
            default: return refuse(self, "a type of RESP3, which nobody asked for");
        }
        try {
            value.text.assign(bytes, size);
        } catch (const std::bad_alloc&) {
            return refuse(self, "out of memory");
        }
        return place(task, std::move(value));
    }

    static void* array(const redisReadTask* task, Count count) {
        RedisReader& self = reader(task);
        if (task->type != REDIS_REPLY_ARRAY) return refuse(self, "a type of RESP3, which nobody asked for");
        auto wanted = static_cast<std::size_t>(count);
        if (wanted > self.limits_.elements - self.elements_) return refuse(self, "a list is too long");
        self.elements_ += wanted;
        RedisValue value;
        value.kind = RedisValue::Kind::array;
        return place(task, std::move(value));
    }

    static void* integer(const redisReadTask* task, long long number) {
        if (task->type != REDIS_REPLY_INTEGER) return refuse(reader(task), "a type of RESP3, which nobody asked for");
        RedisValue value;
        value.kind = RedisValue::Kind::integer;
        value.number = number;
        return place(task, std::move(value));
    }

    // "$-1" and "*-1"; "_" is of RESP3.
    static void* nil(const redisReadTask* task) {
        if (task->type == REDIS_REPLY_NIL) return refuse(reader(task), "a type of RESP3, which nobody asked for");
        return place(task, RedisValue());
    }

#if HIREDIS_MAJOR >= 1
    static void* real(const redisReadTask* task, double, char*, std::size_t) {
        return refuse(reader(task), "a type of RESP3, which nobody asked for");
    }
    static void* boolean(const redisReadTask* task, int) {
        return refuse(reader(task), "a type of RESP3, which nobody asked for");
    }
#endif

    static void free(void* reply) { delete static_cast<RedisValue*>(reply); }  // the root, with all in it

    static redisReplyObjectFunctions* functions() {
#if HIREDIS_MAJOR >= 1
        static redisReplyObjectFunctions all{string, array, integer, real, nil, boolean, free};
#else
        static redisReplyObjectFunctions all{string, array, integer, nil, free};
#endif
        return &all;
    }
};

RedisReader::RedisReader(RedisLimits limits)
    : limits_(limits), raw_(redisReaderCreateWithFunctions(Build::functions()), [](redisReader* r) { redisReaderFree(r); }) {
    if (!raw_) throw std::bad_alloc();
    raw_->privdata = this;
}

RedisReader::~RedisReader() = default;

void RedisReader::feed(std::string_view bytes) {
    bytes_ += bytes.size();
    out_of_memory_ = out_of_memory_ || redisReaderFeed(raw_.get(), bytes.data(), bytes.size()) != REDIS_OK;
}

Result<std::optional<RedisValue>> RedisReader::next() {
    void* raw = nullptr;
    if (out_of_memory_ || redisReaderGetReply(raw_.get(), &raw) != REDIS_OK) return broken();
    if (!raw) {
        if (bytes_ > limits_.bytes) {
            refused_ = "a reply is too large";
            out_of_memory_ = true;  // final
            return broken();
        }
        return std::optional<RedisValue>();
    }
    std::unique_ptr<RedisValue> reply(static_cast<RedisValue*>(raw));
    elements_ = 0;
    bytes_ = raw_->len - raw_->pos;
    return std::optional<RedisValue>(std::move(*reply));
}

Error RedisReader::broken() {
    std::string why = refused_ ? refused_ : raw_->err ? raw_->errstr : "out of memory";
    return Error(Code::store_unavailable, "the reply is not understood: " + why);
}

}  // namespace suoke::store
