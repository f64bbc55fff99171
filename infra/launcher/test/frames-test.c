/* The frame reader. */
#include <string.h>

#include "check.h"
#include "frames.h"

/* Feeds the reader at most `step` bytes at a time; returns how many it took. */
static size_t feed(struct frame_reader *reader, const unsigned char *from, size_t size, size_t step,
                   enum frame_state *state) {
    size_t at = 0, room;
    *state = FRAME_PARTIAL;
    while (at < size && *state == FRAME_PARTIAL) {
        unsigned char *to = frame_room(reader, &room);
        if (room > step) room = step;
        if (room > size - at) room = size - at;
        memcpy(to, from + at, room);
        at += room;
        *state = frame_advance(reader, room);
    }
    return at;
}

static void reads_frames_in_any_pieces(void) {
    static const unsigned char stream[] = {'J', 0, 0, 0, 3, 'a', 'b', 'c', 'K', 0, 0, 0,
                                           4,   0, 0, 1, 2, 'J', 0,   0,   0,   0};
    for (size_t step = 1; step <= sizeof stream; step++) {
        struct frame_reader reader = {0};
        enum frame_state state;
        size_t at = feed(&reader, stream, sizeof stream, step, &state);
        CHECK(at == 8 && state == FRAME_COMPLETE && frame_type(&reader) == FRAME_JOB);
        CHECK(reader.payload_size == 3 && memcmp(reader.payload, "abc", 3) == 0);
        frame_reset(&reader);
        at += feed(&reader, stream + at, sizeof stream - at, step, &state);
        CHECK(at == 17 && state == FRAME_COMPLETE && frame_type(&reader) == FRAME_KILL);
        CHECK(u32_read(reader.payload) == 0x102);
        frame_reset(&reader);
        at += feed(&reader, stream + at, sizeof stream - at, step, &state);
        CHECK(at == sizeof stream && state == FRAME_COMPLETE && reader.payload_size == 0);
        frame_reset(&reader);
    }
}

static void reads_or_skips_a_base(void) {
    static const unsigned char stream[] = {'B', 0, 0, 0, 3, 'a', 'b', 'c', 'B', 0, 0, 0, 0};
    for (size_t step = 1; step <= sizeof stream; step++) {
        unsigned char memory[3];
        for (int skip = 0; skip < 2; skip++) {
            struct frame_reader reader = {0};
            enum frame_state state;
            CHECK(feed(&reader, stream, sizeof stream, step, &state) == 5 && state == FRAME_BASE_BEGINS);
            memset(memory, 0, sizeof memory);
            CHECK(reader.payload_size == 3 && frame_receive(&reader, skip ? NULL : memory) == FRAME_PARTIAL);
            CHECK(feed(&reader, stream + 5, sizeof stream - 5, step, &state) == 3 && state == FRAME_COMPLETE);
            CHECK(frame_type(&reader) == FRAME_BASE && memcmp(memory, skip ? "\0\0\0" : "abc", 3) == 0);
            frame_reset(&reader);
            CHECK(feed(&reader, stream + 8, sizeof stream - 8, step, &state) == 5 && state == FRAME_BASE_BEGINS);
            CHECK(frame_receive(&reader, NULL) == FRAME_COMPLETE);
            frame_reset(&reader);
        }
    }
}

static void refuses_frames_that_are_none(void) {
    static const unsigned char bad[][FRAME_HEADER_BYTES] = {
        {'X', 0, 0, 0, 0}, {0, 0, 0, 0, 0},     {'K', 0, 0, 0, 3},
        {'K', 0, 0, 0, 5}, {'J', 2, 0x80, 0, 1}, {'J', 255, 255, 255, 255},
        {'B', 2, 0x80, 0, 1}, {'I', 0, 0, 0, 3},    {'I', 0, 1, 0, 5}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct frame_reader reader = {0};
        enum frame_state state;
        feed(&reader, bad[i], FRAME_HEADER_BYTES, FRAME_HEADER_BYTES, &state);
        CHECK(state == FRAME_MALFORMED && reader.payload == NULL);
    }
    static const unsigned char largest_input[] = {'I', 0, 1, 0, 4}, largest[] = {'J', 2, 0x80, 0, 0};
    struct frame_reader reader = {0};
    enum frame_state state;
    feed(&reader, largest_input, sizeof largest_input, sizeof largest_input, &state);
    CHECK(state == FRAME_PARTIAL && reader.payload_size == FRAME_NUMBER_BYTES + INPUT_BYTES_MAX);
    frame_reset(&reader);
    feed(&reader, largest, sizeof largest, sizeof largest, &state);
    CHECK(state == FRAME_PARTIAL && reader.payload_size == FRAME_IN_BYTES_MAX);
    frame_reset(&reader);
}

int main(void) {
    reads_frames_in_any_pieces();
    reads_or_skips_a_base();
    refuses_frames_that_are_none();
    return checks_done("frames-test");
}
