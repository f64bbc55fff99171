#include "output.h"

#include <string.h>

void output_begin(struct output *output, size_t head_max, unsigned char *ring, size_t tail_max) {
    *output = (struct output){.head_left = head_max, .ring = ring, .ring_size = tail_max};
}

static void feed_ring(struct output *output, const unsigned char *bytes, size_t count) {
    output->beyond += count;
    if (output->ring_size == 0) return;
    if (count > output->ring_size) {
        /* This call itself would overwrite these bytes; they only advance the position. */
        size_t lost = count - output->ring_size;
        output->ring_next = (output->ring_next + lost) % output->ring_size;
        bytes += lost;
        count = output->ring_size;
    }
    size_t to_end = output->ring_size - output->ring_next;
    size_t first = count < to_end ? count : to_end;
    memcpy(output->ring + output->ring_next, bytes, first);
    memcpy(output->ring, bytes + first, count - first);
    output->ring_next = (output->ring_next + count) % output->ring_size;
}

size_t output_feed(struct output *output, const unsigned char *bytes, size_t count) {
    size_t head = count < output->head_left ? count : output->head_left;
    output->total += count;
    output->head_left -= head;
    if (head < count) feed_ring(output, bytes + head, count - head);
    return head;
}

size_t output_tail_size(const struct output *output) {
    return output->beyond < output->ring_size ? (size_t)output->beyond : output->ring_size;
}

size_t output_tail(const struct output *output, size_t offset, const unsigned char **bytes) {
    size_t size = output_tail_size(output);
    if (offset >= size) return 0;
    /* A ring that never wrapped begins at 0, a full one at the next position to be overwritten. */
    size_t begin = output->beyond > output->ring_size ? output->ring_next : 0;
    size_t at = (begin + offset) % output->ring_size;
    size_t to_end = output->ring_size - at;
    *bytes = output->ring + at;
    return size - offset < to_end ? size - offset : to_end;
}

bool output_truncated(const struct output *output) {
    return output->beyond > output->ring_size;
}
