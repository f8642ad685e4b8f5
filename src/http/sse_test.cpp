// SPDX-License-Identifier: MIT
#include "http/sse.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "tests/fuzz/sse_client.h"

namespace suoke::http::sse {
namespace {

using fuzz::SseClient;
using Dispatched = SseClient::Dispatched;

std::vector<Dispatched> events_in(std::string_view stream) {
    SseClient client;
    client.read(stream);
    return client.events;
}

struct Row {
    const char* what;
    std::string stream;
    std::uint64_t events;
    std::size_t border;  // of the whole; kNone: there is none
    bool between;
    std::string id;
};

std::vector<Row> rows() {
    constexpr std::size_t kNone = Step::kNone;
    return {
        {"nothing", "", 0, kNone, true, ""},
        {"LF", "data: a\n\n", 1, 9, true, ""},
        {"CR", "data: a\r\r", 1, 9, true, ""},
        {"CRLF", "data: a\r\n\r\n", 1, 11, true, ""},
        {"mixed", "data: a\r\n\rdata: b\n\r\n", 2, 20, true, ""},
        {"several", "data: a\n\ndata: b\n\n", 2, 18, true, ""},
        {"an open event", "data: a\n\ndata: b\n", 1, 9, false, ""},
        {"an open line", "data: a\n\nda", 1, 9, false, ""},
        {"a comment is no event", ": hello\n\n", 0, 9, true, ""},
        {"no data is no event", "event: x\n\n", 0, 10, true, ""},
        {"empty data is one", "data\n\n", 1, 6, true, ""},
        {"empty data with a colon is one", "data:\n\n", 1, 7, true, ""},
        {"another name is none", "datas: a\n\n", 0, 10, true, ""},
        {"a name with a blank is none", " data: a\n\n", 0, 10, true, ""},
        {"blank lines alone", "\n\n\n", 0, 3, true, ""},
        {"an id", "id: 7\ndata: a\n\n", 1, 15, true, "7"},
        {"an id without a space", "id:7\ndata: a\n\n", 1, 14, true, "7"},
        {"an id keeps its second space", "id:  7\ndata: a\n\n", 1, 16, true, " 7"},
        {"an id without data counts", "id: 7\n\n", 0, 7, true, "7"},
        {"an id counts when its block ends", "id: 7\n\nid: 8\ndata: a\n", 0, 7, false, "7"},
        {"the last id of a block", "id: 7\nid: 8\n\n", 0, 13, true, "8"},
        {"an empty id forgets", "id: 7\n\nid\n\n", 0, 11, true, ""},
        {"an id with NUL is ignored", std::string("id: 7\n\nid: a\0b\n\n", 16), 0, 16, true, "7"},
        {"a byte order mark", "\xEF\xBB\xBF" "data: a\n\n", 1, 12, true, ""},
        {"only the first one", "\xEF\xBB\xBF\xEF\xBB\xBF" "data: a\n\n", 0, 15, true, ""},
        {"half a mark is a line", "\xEF\xBB" "data: a\n\n", 0, 11, true, ""},
    };
}

TEST(SseFramer, knows_events_borders_and_ids) {
    for (const Row& row : rows()) {
        Framer framer;
        Step step = framer.feed(row.stream);
        EXPECT_EQ(framer.events(), row.events) << row.what;
        EXPECT_EQ(step.border, row.border) << row.what;
        EXPECT_EQ(framer.between_events(), row.between) << row.what;
        EXPECT_EQ(framer.last_id(), row.id) << row.what;
        EXPECT_EQ(events_in(row.stream).size(), row.events) << row.what << ": what a client says";
    }
}

TEST(SseFramer, says_the_same_for_every_byte_alone) {
    for (const Row& row : rows()) {
        Framer framer;
        std::size_t border = Step::kNone;
        for (std::size_t i = 0; i < row.stream.size(); ++i)
            if (framer.feed(std::string_view(row.stream).substr(i, 1)).border != Step::kNone) border = i + 1;
        EXPECT_EQ(framer.events(), row.events) << row.what;
        EXPECT_EQ(border, row.border) << row.what;
        EXPECT_EQ(framer.between_events(), row.between) << row.what;
        EXPECT_EQ(framer.last_id(), row.id) << row.what;
    }
}

TEST(SseFramer, reads_retry) {
    Framer framer;
    framer.feed("retry: 30");
    EXPECT_TRUE(framer.inside_retry());
    framer.feed("00\n");
    EXPECT_EQ(framer.retry(), 3000u);
    framer.feed("retry: 5s\nretry: \nretry\n");
    EXPECT_EQ(framer.retry(), 3000u);
    framer.feed("retry: 99999999999999999999999999\n");
    EXPECT_EQ(framer.retry(), 1'000'000'000'000u);
}

TEST(SseFramer, remembers_no_id_that_is_too_long) {
    Framer framer;
    std::string longest(Framer::kMaxId, 'x');
    framer.feed("id: " + longest + "\n\n");
    EXPECT_EQ(framer.last_id(), longest);
    framer.feed("id: " + longest);
    framer.feed("y\n\n");
    EXPECT_EQ(framer.last_id(), std::nullopt);
    framer.feed("id: 1\n\n");
    EXPECT_EQ(framer.last_id(), "1");
}

TEST(SseFramer, a_border_between_cr_and_lf_is_one_border) {
    Framer framer;
    framer.feed("data: a\r\n\r");
    EXPECT_TRUE(framer.between_events());
    Step step = framer.feed("\ndata: b");
    EXPECT_EQ(step.border, 1u);
    EXPECT_EQ(step.events, 0u);
    EXPECT_FALSE(framer.between_events());
}

// ---- properties, over random streams made of what matters

std::string random_stream(Random& random) {
    static constexpr std::string_view kWords[] = {
        "\n", "\r", "\r\n", "data", "data: x", ":", ": c", "id: 1", "id", "i", "retry: 20", "event: e",
        " ", "\xEF\xBB\xBF", "\xEF", "dat", "a: ", "\n\n", "id: 22", "event: error"};
    std::string stream;
    for (std::uint64_t n = random.below(24); n > 0; --n) stream += kWords[random.below(std::size(kWords))];
    return stream;
}

TEST(SseFramer, any_split_gives_the_same_events) {
    Random random(1);
    for (int round = 0; round < 20'000; ++round) {
        std::string stream = random_stream(random);
        const char* broken = fuzz::sse_broken(stream, 1 + random.below(5), random.below(stream.size() + 1));
        ASSERT_EQ(broken, nullptr) << broken << " in " << ::testing::PrintToString(stream);
    }
}

// ---- what ends a broken stream

std::vector<Dispatched> heard(std::string_view stream, std::string_view seen = {}) {
    Framer framer;
    framer.begin_with_id(seen);
    framer.feed(stream);
    return events_in(std::string(stream) + farewell(framer, "{}"));
}

TEST(SseFarewell, is_an_event_of_its_own_between_two) {
    auto events = heard("id: 7\ndata: a\n\n");
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[1], (Dispatched{"error", "{}", "7"}));
}

TEST(SseFarewell, never_lets_half_an_event_pass_for_a_whole_one) {
    auto events = heard("id: 7\ndata: a\n\nevent: token\nid: 8\ndata: hel");
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[1], (Dispatched{"error", "hel\n{}", "7"}));
}

TEST(SseFarewell, gives_an_id_that_was_cut_short_no_chance) {
    auto events = heard("id: 7\ndata: a\n\ndata: b\nid: 1");
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[1].id, "7");
    events = heard("data: b\nid", "6");
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].id, "6");
}

TEST(SseFarewell, gives_a_retry_that_was_cut_short_no_chance) {
    Framer framer;
    std::string stream = "retry: 3000\n\nretry: 5";
    framer.feed(stream);
    SseClient client;
    client.read(stream + farewell(framer, "{}"));
    EXPECT_EQ(client.retry, "3000");
}

TEST(SseFarewell, is_nothing_when_the_id_before_is_not_known) {
    Framer framer;
    framer.feed("id: " + std::string(300, 'x') + "\n\nid: 8\ndata: a");
    EXPECT_EQ(farewell(framer, "{}"), "");
}

}  // namespace
}  // namespace suoke::http::sse
