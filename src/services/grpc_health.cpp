// SPDX-License-Identifier: MIT
#include "services/grpc_health.h"

#include "base/text.h"
#include "http/grpc.h"

namespace suoke::services {
namespace {

constexpr std::uint32_t kMostMessage = 4096;

// Base 128, at most ten bytes (protobuf's encoding guide).
std::optional<std::uint64_t> take_varint(std::string_view& bytes) {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < 10 && i < bytes.size(); ++i) {
        auto byte = static_cast<std::uint8_t>(bytes[i]);
        if (i == 9 && byte > 1) return std::nullopt;  // beyond 64 bits
        value |= std::uint64_t{byte & 0x7Fu} << (7 * i);
        if (byte & 0x80) continue;
        bytes.remove_prefix(i + 1);
        return value;
    }
    return std::nullopt;
}

// Passes over the value of a field nobody here knows; false when it is cut off or no valid one.
bool skip_value(std::string_view& bytes, std::uint64_t wire_type) {
    std::uint64_t size = 0;
    if (wire_type == 0) return take_varint(bytes).has_value();
    if (wire_type == 1) size = 8;
    if (wire_type == 5) size = 4;
    if (wire_type == 2) {
        auto length = take_varint(bytes);
        if (!length) return false;
        size = *length;
    }
    if (wire_type == 3 || wire_type == 4 || wire_type > 5 || size > bytes.size()) return false;
    bytes.remove_prefix(size);
    return true;
}

// The one message of the answer.
Result<std::string> read_message(std::string_view body) {
    http::GrpcFrames frames(kMostMessage);
    std::string message;
    int messages = 0;
    while (true) {
        auto step = frames.next(body);
        if (!step) return Error(Code::upstream_invalid, "not framed as gRPC messages are");
        if (step->kind == http::GrpcFrames::Step::more) break;
        if (step->kind == http::GrpcFrames::Step::head && frames.flags() != 0)
            return Error(Code::upstream_invalid, "a message is compressed, which was not asked for");
        if (step->kind == http::GrpcFrames::Step::payload) message += step->bytes;
        if (step->kind == http::GrpcFrames::Step::end) ++messages;
    }
    if (messages != 1 || !frames.between()) return Error(Code::upstream_invalid, "not one whole message");
    return message;
}

Error failed_call(int status, const std::string* message, std::string_view service) {
    std::string said = message ? " (" + http::decode_grpc_message(message->substr(0, 200)) + ")" : "";
    if (status == 12) return Error(Code::upstream_status, "does not implement grpc.health.v1.Health" + said);
    if (status == 5) return Error(Code::upstream_status, "does not know the service \"" + std::string(service) + "\"" + said);
    return Error(Code::upstream_status, "answered with grpc-status " + std::to_string(status) + said);
}

}  // namespace

std::string grpc_health_question(std::string_view service) {
    std::string message;
    if (!service.empty()) {
        message += '\x0a';  // field 1, length-delimited
        std::size_t left = service.size();
        for (; left >= 0x80; left >>= 7) message += static_cast<char>((left & 0x7F) | 0x80);
        message += static_cast<char>(left);
        message += service;
    }
    return http::grpc_frame_head(0, static_cast<std::uint32_t>(message.size())) + message;
}

Result<std::uint32_t> read_serving_status(std::string_view message) {
    std::uint32_t status = 0;
    while (!message.empty()) {
        auto key = take_varint(message);
        bool valid = key && *key >> 3 != 0 && *key <= UINT32_MAX;
        if (valid && *key == (1 << 3 | 0)) {
            auto value = take_varint(message);
            valid = value && *value <= INT32_MAX;
            status = valid ? static_cast<std::uint32_t>(*value) : 0;
        } else {
            valid = valid && *key >> 3 != 1 && skip_value(message, *key & 7);
        }
        if (!valid) return Error(Code::upstream_invalid, "not a HealthCheckResponse");
    }
    return status;
}

std::optional<Error> judge_grpc_health(const upstream::FetchResponse& response, std::string_view service) {
    if (response.status != 200)
        return Error(Code::upstream_status, "answered a gRPC call with HTTP status " + std::to_string(response.status));
    const std::string* type = response.field("content-type");
    if (!type || http::parse_grpc_type(*type).kind != http::GrpcKind::grpc)
        return Error(Code::upstream_invalid, "does not speak gRPC (its Content-Type says so)");
    // Without a message the status is in the head ("Trailers-Only").
    const std::string* status = response.trailer("grpc-status");
    if (!status) status = response.field("grpc-status");
    auto number = status ? parse_u64(*status) : std::nullopt;
    if (!number || *number > 16) return Error(Code::upstream_invalid, "ended a gRPC call without a valid grpc-status");
    if (*number != 0) {
        const std::string* message = response.trailer("grpc-message");
        return failed_call(static_cast<int>(*number), message ? message : response.field("grpc-message"), service);
    }
    auto message = read_message(response.body);
    if (!message) return message.error();
    auto serving = read_serving_status(*message);
    if (!serving) return serving.error();
    switch (*serving) {
        case 1: return std::nullopt;
        case 2: return Error(Code::upstream_status, "says NOT_SERVING");
        case 3: return Error(Code::upstream_status, "says SERVICE_UNKNOWN of \"" + std::string(service) + "\"");
        default: return Error(Code::upstream_status, "says UNKNOWN");
    }
}

}  // namespace suoke::services
