#include "frames.h"

#include <string.h>

#include "memory.h"

/* The bytes of frames that are skipped. */
static unsigned char skipped[16 * 1024];

uint32_t u32_read(const unsigned char *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
           (uint32_t)bytes[3];
}

void u32_write(unsigned char *bytes, uint32_t value) {
    bytes[0] = (unsigned char)(value >> 24);
    bytes[1] = (unsigned char)(value >> 16);
    bytes[2] = (unsigned char)(value >> 8);
    bytes[3] = (unsigned char)value;
}

void frame_header_write(unsigned char *header, enum frame_type type, size_t length) {
    header[0] = (unsigned char)type;
    u32_write(header + 1, (uint32_t)length);
}

unsigned char *frame_room(struct frame_reader *reader, size_t *size) {
    if (reader->header_have < FRAME_HEADER_BYTES) {
        *size = FRAME_HEADER_BYTES - reader->header_have;
        return reader->header + reader->header_have;
    }
    *size = reader->payload_size - reader->payload_have;
    if (reader->is_skipped) {
        if (*size > sizeof skipped) *size = sizeof skipped;
        return skipped;
    }
    return reader->payload + reader->payload_have;
}

static enum frame_state header_complete(struct frame_reader *reader) {
    size_t length = u32_read(reader->header + 1);
    switch (frame_type(reader)) {
    case FRAME_JOB:
        if (length > FRAME_IN_BYTES_MAX) return FRAME_MALFORMED;
        break;
    case FRAME_KILL:
        if (length != FRAME_NUMBER_BYTES) return FRAME_MALFORMED;
        break;
    case FRAME_INPUT:
        if (length < FRAME_NUMBER_BYTES || length > FRAME_NUMBER_BYTES + INPUT_BYTES_MAX) return FRAME_MALFORMED;
        break;
    case FRAME_PRELOAD:
        if (length != 0) return FRAME_MALFORMED;
        break;
    case FRAME_BASE:
        if (length > FRAME_IN_BYTES_MAX) return FRAME_MALFORMED;
        reader->payload_size = length;
        return FRAME_BASE_BEGINS;
    default:
        return FRAME_MALFORMED;
    }
    reader->payload = memory_alloc(length, MEMORY_INHERITED);
    if (reader->payload == NULL) return FRAME_NO_MEMORY;
    reader->payload_size = length;
    return length == 0 ? FRAME_COMPLETE : FRAME_PARTIAL;
}

enum frame_state frame_receive(struct frame_reader *reader, unsigned char *memory) {
    reader->payload = memory;
    reader->is_skipped = memory == NULL;
    return reader->payload_size == 0 ? FRAME_COMPLETE : FRAME_PARTIAL;
}

enum frame_state frame_advance(struct frame_reader *reader, size_t count) {
    if (reader->header_have < FRAME_HEADER_BYTES) {
        reader->header_have += count;
        if (reader->header_have < FRAME_HEADER_BYTES) return FRAME_PARTIAL;
        return header_complete(reader);
    }
    reader->payload_have += count;
    return reader->payload_have < reader->payload_size ? FRAME_PARTIAL : FRAME_COMPLETE;
}

enum frame_type frame_type(const struct frame_reader *reader) {
    return (enum frame_type)reader->header[0];
}

void frame_reset(struct frame_reader *reader) {
    if (frame_type(reader) != FRAME_BASE) memory_free(reader->payload, reader->payload_size);
    if (reader->is_skipped) explicit_bzero(skipped, sizeof skipped);
    explicit_bzero(reader, sizeof *reader);
}
