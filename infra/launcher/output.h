/* What is kept of one stream of a program: the head, live, and the last bytes of what follows. */
#ifndef LAUNCHER_OUTPUT_H
#define LAUNCHER_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct output {
    uint64_t total; /* what the program wrote, kept or not */
    size_t head_left;
    unsigned char *ring;
    size_t ring_size;
    size_t ring_next; /* where the next byte goes */
    uint64_t beyond;  /* bytes after the head */
};

/* `ring` has room for `tail_max` bytes, or is NULL where that is 0. */
void output_begin(struct output *output, size_t head_max, unsigned char *ring, size_t tail_max);

/* Takes `count` bytes. Returns how many of them, the first ones, belong to the head. */
size_t output_feed(struct output *output, const unsigned char *bytes, size_t count);

/* How much of the tail is kept. */
size_t output_tail_size(const struct output *output);

/* The tail from `offset` on: as many bytes as lie in one piece. */
size_t output_tail(const struct output *output, size_t offset, const unsigned char **bytes);

/* Something between the head and the tail was dropped. */
bool output_truncated(const struct output *output);

#endif
