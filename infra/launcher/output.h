/* The kept part of one stream: the head, which is sent live, and the last bytes after it. */
#ifndef LAUNCHER_OUTPUT_H
#define LAUNCHER_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct output {
    uint64_t total; /* bytes that the program wrote, kept or not */
    size_t head_left;
    unsigned char *ring;
    size_t ring_size;
    size_t ring_next; /* where the next byte goes */
    uint64_t beyond;  /* bytes after the head */
};

/* `ring` has room for `tail_max` bytes, or is NULL if that is 0. */
void output_begin(struct output *output, size_t head_max, unsigned char *ring, size_t tail_max);

/* Adds `count` bytes. Returns how many of the first ones belong to the head. */
size_t output_feed(struct output *output, const unsigned char *bytes, size_t count);

/* Number of kept tail bytes. */
size_t output_tail_size(const struct output *output);

/* The tail from `offset` on: as many bytes as are contiguous. */
size_t output_tail(const struct output *output, size_t offset, const unsigned char **bytes);

/* Whether bytes between the head and the tail were dropped. */
bool output_truncated(const struct output *output);

#endif
