/* Head and tail, compared with the plainest way to say what they are. */
#include <string.h>

#include "check.h"
#include "output.h"

enum { BYTES_MAX = 64 };

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* `size` different bytes in pieces of `step`, with these caps. */
static void keeps_head_and_tail(size_t size, size_t step, size_t head_max, size_t tail_max) {
    unsigned char bytes[BYTES_MAX], head[BYTES_MAX], tail[BYTES_MAX];
    size_t head_size = 0, tail_size = 0, count;
    unsigned char *ring = tail_max == 0 ? NULL : malloc(tail_max);
    struct output output;
    output_begin(&output, head_max, ring, tail_max);
    for (size_t i = 0; i < size; i++) bytes[i] = (unsigned char)i;
    for (size_t at = 0; at < size; at += step) {
        size_t piece = smaller(step, size - at);
        count = output_feed(&output, bytes + at, piece);
        memcpy(head + head_size, bytes + at, count);
        head_size += count;
    }
    const unsigned char *part;
    while ((count = output_tail(&output, tail_size, &part)) > 0) {
        memcpy(tail + tail_size, part, count);
        tail_size += count;
    }
    size_t kept = smaller(size - smaller(size, head_max), tail_max);
    CHECK(output.total == size);
    CHECK(head_size == smaller(size, head_max) && memcmp(head, bytes, head_size) == 0);
    CHECK(tail_size == kept && tail_size == output_tail_size(&output));
    CHECK(memcmp(tail, bytes + size - kept, kept) == 0);
    CHECK(output_truncated(&output) == (size > head_max + tail_max));
    free(ring);
}

int main(void) {
    for (size_t size = 0; size <= 24; size++)
        for (size_t step = 1; step <= 25; step++)
            for (size_t head_max = 0; head_max <= 9; head_max++)
                for (size_t tail_max = 0; tail_max <= 9; tail_max++)
                    keeps_head_and_tail(size, step, head_max, tail_max);
    return checks_done("output-test");
}
