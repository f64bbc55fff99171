/* Frames between the host and the launcher: u8 type, u32 length (big-endian), payload. */
#ifndef LAUNCHER_FRAMES_H
#define LAUNCHER_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FRAME_HEADER_BYTES = 5,
    FRAME_NUMBER_BYTES = 4,
    FRAME_IN_BYTES_MAX = 40 * 1024 * 1024,
    FRAME_OUT_BYTES_MAX = 64 * 1024,
    /* Of a job's input that the host has added, and that is not confirmed; so of one frame, too. */
    INPUT_BYTES_MAX = 64 * 1024
};

enum frame_type {
    FRAME_JOB = 'J',
    FRAME_BASE = 'B',
    FRAME_KILL = 'K',
    FRAME_PRELOAD = 'Z', /* both ways */
    FRAME_INPUT = 'I',   /* likewise */
    FRAME_HELLO = 'H',
    FRAME_STARTED = 'S',
    FRAME_STDOUT = 'O',
    FRAME_STDERR = 'E',
    FRAME_STDOUT_TAIL = 'o',
    FRAME_STDERR_TAIL = 'e',
    FRAME_FILES = 'F',
    FRAME_TRAILER = 'T',
    FRAME_REFUSED = 'R'
};

uint32_t u32_read(const unsigned char *bytes);
void u32_write(unsigned char *bytes, uint32_t value);

void frame_header_write(unsigned char *header, enum frame_type type, size_t length);

/* One frame from the host, as far as it has arrived. Zeroed, it waits for the first. */
struct frame_reader {
    unsigned char header[FRAME_HEADER_BYTES];
    size_t header_have;
    unsigned char *payload; /* allocated once the header is complete; of a base, given by frame_receive */
    size_t payload_size;
    size_t payload_have;
    bool is_skipped;
};

/* FRAME_BASE_BEGINS: the header of a base is complete, and frame_receive has to be called. */
enum frame_state { FRAME_PARTIAL, FRAME_COMPLETE, FRAME_BASE_BEGINS, FRAME_MALFORMED, FRAME_NO_MEMORY };

/*
 * Where the next bytes go, and how many at most: a read never takes a byte of the next frame, so
 * no other buffer ever holds a part of a job.
 */
unsigned char *frame_room(struct frame_reader *reader, size_t *size);

/* Call after writing `count` bytes to the place that frame_room returned. */
enum frame_state frame_advance(struct frame_reader *reader, size_t count);

/* Where the payload of a base goes; NULL: it is skipped. The memory stays the caller's. */
enum frame_state frame_receive(struct frame_reader *reader, unsigned char *memory);

/* The complete frame's type. */
enum frame_type frame_type(const struct frame_reader *reader);

/* Wipes the frame (not a base) and waits for the next. */
void frame_reset(struct frame_reader *reader);

#endif
