// SPDX-License-Identifier: MIT
// The server of gRPC's interoperability tests (doc/interop-test-descriptions.md of grpc/grpc), made
// of gRPC++. It prints its port in one line when it serves, and serves until it is killed.
//
//     grpc_interop_server [--port N] [--certificate FILE --key FILE]
//                         [--max-streams N]            at once on a connection
//                         [--max-connection-age MS]    then the connection gets a GOAWAY

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "interop.grpc.pb.h"

// In the library for tests like ours, but in no header that is installed.
std::uint32_t grpc_call_test_only_get_message_flags(grpc_call* call);

namespace grpc::testing {

// A friend of ServerContext by this name: nothing else tells whether a message came compressed.
class InteropServerContextInspector {
 public:
    explicit InteropServerContextInspector(const ServerContext& context) : context_(context) {}
    bool was_compressed() const {
        constexpr std::uint32_t kCompressed = 0x80000000u, kWasCompressed = 0x40000000u;
        std::uint32_t flags = grpc_call_test_only_get_message_flags(context_.call_.call);
        return (flags & (kCompressed | kWasCompressed)) != 0;
    }

 private:
    const ServerContext& context_;
};

}  // namespace grpc::testing

namespace suoke::interop {
namespace {

using namespace std::chrono_literals;
using grpc::ServerContext;
using grpc::Status;
using grpc::StatusCode;
using Clock = std::chrono::steady_clock;

// ---- what the calls have in common

void echo_metadata(ServerContext& context) {
    const auto& sent = context.client_metadata();
    auto text = [](grpc::string_ref ref) { return std::string(ref.data(), ref.size()); };
    for (auto [at, end] = sent.equal_range("x-grpc-test-echo-initial"); at != end; ++at)
        context.AddInitialMetadata(text(at->first), text(at->second));
    for (auto [at, end] = sent.equal_range("x-grpc-test-echo-trailing-bin"); at != end; ++at)
        context.AddTrailingMetadata(text(at->first), text(at->second));
}

Status status_of(const grpc::testing::EchoStatus& asked) {
    return {static_cast<StatusCode>(asked.code()), asked.message()};
}

template <class Request>
bool is_as_expected(const ServerContext& context, const Request& request) {
    if (!request.has_expect_compressed()) return true;
    bool compressed = grpc::testing::InteropServerContextInspector(context).was_compressed();
    return compressed == request.expect_compressed().value();
}

Status not_as_expected() {
    return {StatusCode::INVALID_ARGUMENT,
            "the message is compressed and should not be, or the other way round"};
}

void fill(grpc::testing::Payload& payload, int size) {
    payload.set_body(std::string(static_cast<std::size_t>(size), '\0'));
}

// False when the client has left before the time came.
bool wait_until(const ServerContext& context, Clock::time_point due) {
    while (Clock::now() < due) {
        if (context.IsCancelled()) return false;
        std::this_thread::sleep_for(std::min<Clock::duration>(due - Clock::now(), 5ms));
    }
    return true;
}

// Every response that the request asks for. False when the client has left.
template <class Stream>
bool answer(const ServerContext& context, const grpc::testing::StreamingOutputCallRequest& request,
            Stream& stream) {
    auto due = Clock::now();
    for (const auto& wanted : request.response_parameters()) {
        due += std::chrono::microseconds(wanted.interval_us());
        if (!wait_until(context, due)) return false;
        grpc::testing::StreamingOutputCallResponse response;
        fill(*response.mutable_payload(), wanted.size());
        grpc::WriteOptions options;
        if (wanted.has_compressed() && !wanted.compressed().value()) options.set_no_compression();
        if (!stream.Write(response, options)) return false;
    }
    return true;
}

bool wants_compression(const grpc::testing::StreamingOutputCallRequest& request) {
    for (const auto& wanted : request.response_parameters())
        if (wanted.compressed().value()) return true;
    return false;
}

// ---- the service; UnimplementedCall stays what gRPC++ makes of it

class TestService final : public grpc::testing::TestService::Service {
    using Empty = grpc::testing::Empty;
    using SimpleRequest = grpc::testing::SimpleRequest;
    using SimpleResponse = grpc::testing::SimpleResponse;
    using InputRequest = grpc::testing::StreamingInputCallRequest;
    using InputResponse = grpc::testing::StreamingInputCallResponse;
    using OutputRequest = grpc::testing::StreamingOutputCallRequest;
    using OutputResponse = grpc::testing::StreamingOutputCallResponse;
    using Duplex = grpc::ServerReaderWriter<OutputResponse, OutputRequest>;

    Status EmptyCall(ServerContext* context, const Empty*, Empty*) override {
        echo_metadata(*context);
        return Status::OK;
    }

    Status UnaryCall(ServerContext* context, const SimpleRequest* request,
                     SimpleResponse* response) override {
        echo_metadata(*context);
        if (!is_as_expected(*context, *request)) return not_as_expected();
        if (request->has_response_status() && request->response_status().code() != 0)
            return status_of(request->response_status());
        if (request->response_compressed().value())
            context->set_compression_level(GRPC_COMPRESS_LEVEL_HIGH);
        fill(*response->mutable_payload(), request->response_size());
        return Status::OK;
    }

    Status CacheableUnaryCall(ServerContext* context, const SimpleRequest*,
                              SimpleResponse* response) override {
        context->AddInitialMetadata("cache-control", "max-age=60, public");
        response->mutable_payload()->set_body(
            std::to_string(Clock::now().time_since_epoch() / 1ns));
        return Status::OK;
    }

    Status StreamingOutputCall(ServerContext* context, const OutputRequest* request,
                               grpc::ServerWriter<OutputResponse>* stream) override {
        echo_metadata(*context);
        if (wants_compression(*request)) context->set_compression_level(GRPC_COMPRESS_LEVEL_HIGH);
        if (!answer(*context, *request, *stream)) return Status::CANCELLED;
        return status_of(request->response_status());
    }

    Status StreamingInputCall(ServerContext* context, grpc::ServerReader<InputRequest>* stream,
                              InputResponse* response) override {
        echo_metadata(*context);
        InputRequest request;
        int size = 0;
        while (stream->Read(&request)) {
            if (!is_as_expected(*context, request)) return not_as_expected();
            size += static_cast<int>(request.payload().body().size());
        }
        response->set_aggregated_payload_size(size);
        return Status::OK;
    }

    Status FullDuplexCall(ServerContext* context, Duplex* stream) override {
        echo_metadata(*context);
        OutputRequest request;
        while (stream->Read(&request)) {
            if (request.has_response_status() && request.response_status().code() != 0)
                return status_of(request.response_status());
            if (!answer(*context, request, *stream)) return Status::CANCELLED;
        }
        return Status::OK;
    }

    Status HalfDuplexCall(ServerContext* context, Duplex* stream) override {
        echo_metadata(*context);
        std::vector<OutputRequest> requests;
        OutputRequest request;
        while (stream->Read(&request)) requests.push_back(request);
        for (const OutputRequest& each : requests)
            if (!answer(*context, each, *stream)) return Status::CANCELLED;
        return Status::OK;
    }
};

// ---- the command line

using Options = std::map<std::string, std::string>;

Options options_from(int argc, char** argv) {
    Options options{{"--port", "0"},
                    {"--certificate", ""},
                    {"--key", ""},
                    {"--max-streams", ""},
                    {"--max-connection-age", ""}};
    for (int i = 1; i < argc; i += 2) {
        auto option = options.find(argv[i]);
        if (option == options.end() || i + 1 == argc)
            throw std::runtime_error(std::string("unknown option or missing value: ") + argv[i]);
        option->second = argv[i + 1];
    }
    return options;
}

std::string content_of(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) throw std::runtime_error("cannot read " + file);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::shared_ptr<grpc::ServerCredentials> credentials(const Options& options) {
    if (options.at("--certificate").empty()) return grpc::InsecureServerCredentials();
    grpc::SslServerCredentialsOptions tls;
    tls.pem_key_cert_pairs.push_back(
        {content_of(options.at("--key")), content_of(options.at("--certificate"))});
    return grpc::SslServerCredentials(tls);
}

void serve(const Options& options) {
    grpc::ServerBuilder builder;
    auto limit = [&](const char* argument, const std::string& value) {
        if (!value.empty()) builder.AddChannelArgument(argument, std::stoi(value));
    };
    limit(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.at("--max-streams"));
    limit(GRPC_ARG_MAX_CONNECTION_AGE_MS, options.at("--max-connection-age"));
    int port = 0;
    builder.AddListeningPort("127.0.0.1:" + options.at("--port"), credentials(options), &port);
    TestService service;
    builder.RegisterService(&service);
    std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
    if (!server || port == 0)
        throw std::runtime_error("cannot listen on port " + options.at("--port"));
    std::printf("%d\n", port);
    std::fflush(stdout);
    server->Wait();
}

}  // namespace
}  // namespace suoke::interop

int main(int argc, char** argv) try {
    suoke::interop::serve(suoke::interop::options_from(argc, argv));
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "grpc_interop_server: %s\n", error.what());
    return 1;
}
