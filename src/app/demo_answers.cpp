// SPDX-License-Identifier: MIT
#include "app/demo_answers.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "auth/jwt.h"
#include "base/json.h"
#include "base/text.h"
#include "http/uri.h"

namespace suoke::app {
namespace {

using http::Method;
using http::Piece;
using http::Response;

struct Call {
    rt::Loop& loop;
    http::Request& request;
    std::string_view rest;  // what "/*" at the end of the path stood for
    const std::string& secret;
};
using Answer = rt::Task<Response> (*)(Call& call);

Response respond(int status, std::string_view content_type, http::Body body) {
    Response response;
    response.status = status;
    response.headers.add(http::HeaderId::content_type, content_type);
    response.body = std::move(body);
    return response;
}

Response json(int status, std::string text) {
    return respond(status, "application/json", std::make_unique<http::TextBody>(std::move(text)));
}

Response refusal(int status, std::string_view detail) {
    std::string out;
    JsonWriter(out).open('{').field("detail", detail).close('}');
    return json(status, std::move(out));
}

// ---- request bodies

struct Received {
    std::string text;  // its beginning: nobody here reads more
    std::uint64_t bytes = 0;
    std::uint64_t checksum = 0xcbf29ce484222325;  // FNV-1a, 64 bits
};

void take(Received& received, std::string_view bytes) {
    constexpr std::size_t kKeep = 64 * 1024;
    received.text += bytes.substr(0, kKeep - std::min(kKeep, received.text.size()));
    received.bytes += bytes.size();
    for (unsigned char c : bytes) received.checksum = (received.checksum ^ c) * 0x100000001b3;
}

rt::Task<Result<Received>> receive(http::BodySource* body) {
    Received received;
    while (body) {
        Result<Piece> piece = body->next();
        if (!piece) co_return piece.error();
        take(received, piece->bytes);
        if (piece->state == Piece::end) break;
        if (piece->state == Piece::wait) co_await body->wait();
    }
    co_return received;
}

nlohmann::json object_of(const Received& received) {
    nlohmann::json json = nlohmann::json::parse(received.text, nullptr, false);
    return json.is_object() ? json : nlohmann::json::object();
}

std::string text_of(const nlohmann::json& object, const char* key) {
    auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// ---- waiting

class Pause final : rt::Timer {
 public:
    Pause(rt::Loop& loop, TimePoint until) : loop_(loop), until_(until) {}
    bool await_ready() const { return loop_.now() >= until_; }
    void await_suspend(std::coroutine_handle<> waiter) {
        waiter_ = waiter;
        loop_.timers().arm(*this, until_);
    }
    void await_resume() const {}

 private:
    void expired() override { waiter_.resume(); }
    rt::Loop& loop_;
    TimePoint until_;
    std::coroutine_handle<> waiter_;
};

// ---- auth-service

constexpr int kTokenLife = 3600;  // seconds

// One that the gateway takes, as the platform's auth-service signs them; without a secret a mere word.
std::string access_token(const Call& call, std::string_view username) {
    const std::string kWord = "demo-access-token";
    if (call.secret.empty()) return kWord;
    auto key = auth::Key::of_secret(call.secret, {auth::Algorithm::hs256});
    if (!key) return kWord;
    auto now = call.loop.clock().wall().time_since_epoch() / std::chrono::seconds(1);
    std::string claims;
    JsonWriter j(claims);
    j.open('{').field("sub", "1").field("name", username).field("type", "access").key("roles").open('[').value("user").close(']');
    j.field("iss", "suoke-auth-service").field("aud", "suoke-life");
    j.field("iat", std::int64_t{now}).field("exp", std::int64_t{now + kTokenLife}).close('}');
    auto token = auth::mint(claims, **key, auth::Algorithm::hs256);
    return token ? *token : kWord;
}

std::string session_json(const Call& call, std::string_view username) {
    std::string out;
    JsonWriter(out)
        .open('{')
        .field("access_token", access_token(call, username))
        .field("refresh_token", "demo-refresh-token")
        .field("token_type", "bearer")
        .field("expires_in", kTokenLife)
        .field("user_id", "1")
        .field("username", username)
        .field("mfa_required", false)
        .close('}');
    return out;
}

rt::Task<Response> login(Call& call) {
    Result<Received> received = co_await receive(call.request.body);
    if (!received) co_return refusal(400, "The body did not arrive");
    nlohmann::json who = object_of(*received);
    std::string username = text_of(who, "username");
    if (username.empty()) username = text_of(who, "email");
    std::string password = text_of(who, "password");
    if (username.empty() || password.empty())
        co_return refusal(422, "Send username (or email) and password");
    if (password == "wrong") co_return refusal(401, "Wrong username or password");
    co_return json(200, session_json(call, username));
}

rt::Task<Response> refresh(Call& call) {
    Result<Received> received = co_await receive(call.request.body);
    if (!received) co_return refusal(400, "The body did not arrive");
    if (text_of(object_of(*received), "refresh_token") != "demo-refresh-token")
        co_return refusal(401, "Unknown refresh token");
    co_return json(200, session_json(call, "lishizhen"));
}

// ---- user-service

struct User {
    const char* id;
    const char* username;
    const char* name;
};
constexpr User kUsers[] = {
    {"1", "lishizhen", "李时珍"}, {"2", "sunsimiao", "孙思邈"}, {"3", "zhangzhongjing", "张仲景"}};

void write_user(JsonWriter& out, const User& user) {
    out.open('{')
        .field("id", user.id)
        .field("username", user.username)
        .field("name", user.name)
        .close('}');
}

Response user_response(const User& user) {
    std::string out;
    JsonWriter writer(out);
    write_user(writer, user);
    return json(200, std::move(out));
}

rt::Task<Response> me(Call&) {
    co_return user_response(kUsers[0]);
}

rt::Task<Response> one_user(Call& call) {
    for (const User& user : kUsers)
        if (call.rest == user.id) co_return user_response(user);
    co_return refusal(404, "User not found");
}

rt::Task<Response> all_users(Call&) {
    std::string out;
    JsonWriter writer(out);
    writer.open('{').key("items").open('[');
    for (const User& user : kUsers) write_user(writer, user);
    writer.close(']').field("total", std::uint64_t{std::size(kUsers)}).close('}');
    co_return json(200, std::move(out));
}

// ---- health-data-service

rt::Task<Response> vital_signs(Call& call) {
    std::string now = iso8601(call.loop.clock().wall());
    std::string out;
    JsonWriter writer(out);
    writer.open('{').field("user_id", "1").key("items").open('[');
    writer.open('{')
        .field("type", "heart_rate")
        .field("value", 68)
        .field("unit", "bpm")
        .field("measured_at", now)
        .close('}');
    writer.open('{')
        .field("type", "temperature")
        .field("value", 36.6)
        .field("unit", "C")
        .field("measured_at", now)
        .close('}');
    writer.close(']').close('}');
    co_return json(200, std::move(out));
}

rt::Task<Response> store_batch(Call& call) {
    Result<Received> received = co_await receive(call.request.body);
    if (!received) co_return refusal(400, "The body did not arrive");
    nlohmann::json sent = nlohmann::json::parse(received->text, nullptr, false);
    if (sent.is_object()) sent = sent.value("items", nlohmann::json::array());
    if (!sent.is_array()) co_return refusal(422, "Send a list, or an object with items");
    std::string out;
    JsonWriter(out).open('{').field("accepted", std::uint64_t{sent.size()}).close('}');
    co_return json(201, std::move(out));
}

// ---- agents

// Tokens at the pace of a language model, as server-sent events.
class TokenStream final : public http::BodySource {
 public:
    explicit TokenStream(rt::Loop& loop) : loop_(loop), due_(loop.now()) {}

    Result<Piece> next() override {
        if (loop_.now() < due_) return Piece{{}, Piece::wait};
        due_ = loop_.now() + std::chrono::milliseconds(80);
        bool last = said_ == std::size(kWords);
        if (last)
            event_ = "data: [DONE]\n\n";
        else
            event_ = fmt::format("data: {{\"token\":\"{} \"}}\n\n", kWords[said_++]);
        return Piece{event_, last ? Piece::end : Piece::more};
    }

    rt::Task<void> wait() override {
        Pause pause(loop_, due_);
        co_await pause;
    }

 private:
    static constexpr std::string_view kWords[] = {
        "Good",   "day,",   "I",     "am",   "Xiaoai.", "Sleep", "early,",
        "rise",   "early,", "drink", "warm", "water,",  "walk",  "after",
        "meals,", "and",    "tell",  "me",   "how",     "you",   "feel."};
    rt::Loop& loop_;
    TimePoint due_;
    std::size_t said_ = 0;
    std::string event_;
};

rt::Task<Response> chat(Call& call) {
    Result<Received> received = co_await receive(call.request.body);
    if (!received) co_return refusal(400, "The body did not arrive");
    std::string message = text_of(object_of(*received), "message");
    std::string out;
    JsonWriter(out)
        .open('{')
        .field("agent", "xiaoai")
        .field("message", message)
        .field("reply", "How did you sleep?")
        .close('}');
    co_return json(200, std::move(out));
}

rt::Task<Response> chat_stream(Call& call) {
    Result<Received> received = co_await receive(call.request.body);
    if (!received) co_return refusal(400, "The body did not arrive");
    Response response = respond(200, "text/event-stream", std::make_unique<TokenStream>(call.loop));
    response.headers.add("Cache-Control", "no-cache");
    co_return response;
}

// ---- diagnosis

// Never holds more than a piece of the upload, so it can be of any size.
rt::Task<Response> analyse(Call& call) {
    Result<Received> received = co_await receive(call.request.body);
    if (!received) co_return refusal(400, "The upload did not arrive");
    std::string out;
    JsonWriter(out)
        .open('{')
        .field("analysis", call.rest)
        .field("bytes", received->bytes)
        .field("fnv1a64", fmt::format("{:016x}", received->checksum))
        .close('}');
    co_return json(200, std::move(out));
}

rt::Task<Response> slow_diagnosis(Call& call) {
    std::string_view wanted = "3";
    http::for_each_param(call.request.head.query,
                         [&](std::string_view name, std::string_view value) {
                             if (name == "seconds") wanted = value;
                         });
    auto patience = parse_duration(wanted);
    if (!patience || *patience > std::chrono::minutes(5))
        co_return refusal(422, "seconds: 0 to 300");
    Pause pause(call.loop, call.loop.now() + *patience);
    co_await pause;
    std::string out;
    JsonWriter(out)
        .open('{')
        .field("diagnosis", "balanced")
        .field("seconds", seconds(*patience))
        .close('}');
    co_return json(200, std::move(out));
}

rt::Task<Response> healthy(Call&) {
    co_return json(200, R"({"status":"healthy"})");
}

// ---- the table; the first entry that fits answers

struct Entry {
    Method method;
    std::string_view path;
    Answer answer;
};
constexpr Entry kTable[] = {
    {Method::GET, "/health", healthy},
    {Method::POST, "/api/v1/auth/login", login},
    {Method::POST, "/api/v1/auth/refresh", refresh},
    {Method::GET, "/api/v1/auth/me", me},
    {Method::GET, "/api/v1/users", all_users},
    {Method::GET, "/api/v1/users/me", me},
    {Method::GET, "/api/v1/users/*", one_user},
    {Method::GET, "/api/v1/health-data", vital_signs},
    {Method::GET, "/api/v1/vital-signs", vital_signs},
    {Method::POST, "/api/v1/health-data", store_batch},
    {Method::POST, "/api/v1/health-data/batch", store_batch},
    {Method::POST, "/api/v1/chat", chat},
    {Method::POST, "/api/v1/chat/stream", chat_stream},
    {Method::POST, "/api/v1/analysis/*", analyse},
    {Method::GET, "/api/v1/diagnosis/slow", slow_diagnosis},
};

bool fits(const Entry& entry, Call& call) {
    std::string_view path = call.request.head.path;
    if (entry.method != call.request.head.method) return false;
    if (entry.path.back() != '*') return path == entry.path;
    std::string_view start = entry.path.substr(0, entry.path.size() - 1);
    if (path.substr(0, start.size()) != start) return false;
    call.rest = path.substr(start.size());
    return true;
}

}  // namespace

rt::Task<Response> demo_answer(rt::Loop& loop, http::Request& request, const std::string& secret) {
    Call call{loop, request, {}, secret};
    for (const Entry& entry : kTable) {
        if (!fits(entry, call)) continue;
        Response response = co_await entry.answer(call);
        co_return response;
    }
    co_return refusal(404, "The demo services have no such path");
}

}  // namespace suoke::app
