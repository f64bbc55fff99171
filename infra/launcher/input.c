#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "descriptors.h"
#include "frames.h"
#include "memory.h"

bool input_begin(struct input *input, const struct job *job, unsigned char *payload, size_t payload_size) {
    *input = (struct input){.fd = -1,
                            .own = job->input,
                            .own_left = job->input_size,
                            .payload = payload,
                            .payload_size = payload_size,
                            .is_open = job->interactive};
    /* Before the job runs: later, no memory may be left. */
    if (job->interactive) input->added = memory_alloc(INPUT_BYTES_MAX, MEMORY_OWN);
    return !job->interactive || input->added != NULL;
}

/* The write end, the launcher's, never blocks; the other is as programs expect it. */
bool input_make_pipe(struct input *input, int *theirs) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    *theirs = ends[0];
    input->fd = ends[1];
    return ends[1] < DESCRIPTORS_MAX && fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0;
}

void input_drop_rest(struct input *input) {
    const unsigned char *end = input->payload + input->payload_size, *own_end = input->own + input->own_left;
    memory_drop(input->payload, (size_t)(input->own - input->payload));
    memory_drop(input->payload + (own_end - input->payload), (size_t)(end - own_end));
}

static void free_payload(struct input *input) {
    memory_free(input->payload, input->payload_size);
    input->payload = NULL;
    input->own_left = 0;
}

static void close_pipe(struct input *input) {
    if (input->fd >= 0) close(input->fd);
    input->fd = -1;
    free_payload(input);
    input->added_begin = input->added_end = 0;
    input->taken = input->received;
}

static void add(struct input *input, const unsigned char *bytes, size_t size) {
    if (INPUT_BYTES_MAX - input->added_end < size) {
        memmove(input->added, input->added + input->added_begin, input->added_end - input->added_begin);
        input->added_end -= input->added_begin;
        input->added_begin = 0;
    }
    memcpy(input->added + input->added_end, bytes, size);
    input->added_end += size;
}

bool input_add(struct input *input, const unsigned char *bytes, size_t size) {
    if (!input->is_open) return true;
    if (size > INPUT_BYTES_MAX - (input->received - input->confirmed)) return false;
    input->is_open = size > 0;
    input->received += (uint32_t)size;
    /* A program that reads no more must not stop the host. */
    if (input->fd < 0) input->taken = input->received;
    else if (size > 0) add(input, bytes, size);
    return true;
}

/* @returns how many bytes the pipe has taken; -1 if it is full, or the program reads no more, which closes it */
static ssize_t write_some(struct input *input, const unsigned char *bytes, size_t size) {
    ssize_t count;
    do count = write(input->fd, bytes, size);
    while (count < 0 && errno == EINTR);
    if (count < 0 && errno != EAGAIN) close_pipe(input);
    return count;
}

static bool feed_own(struct input *input) {
    while (input->own_left > 0) {
        ssize_t count = write_some(input, input->own, input->own_left);
        if (count < 0) return false;
        input->own += count;
        input->own_left -= (size_t)count;
    }
    free_payload(input);
    return true;
}

static bool feed_added(struct input *input) {
    while (input->added_begin < input->added_end) {
        size_t size = input->added_end - input->added_begin;
        ssize_t count = write_some(input, input->added + input->added_begin, size);
        if (count < 0) return false;
        input->added_begin += (size_t)count;
        input->taken += (uint32_t)count;
    }
    return true;
}

void input_feed(struct input *input) {
    if (input->fd < 0) return;
    if (feed_own(input) && feed_added(input) && !input->is_open) close_pipe(input);
}

bool input_is_waiting(const struct input *input) {
    return input->fd >= 0 && (input->own_left > 0 || input->added_begin < input->added_end);
}

bool input_is_unconfirmed(const struct input *input) {
    return input->taken != input->confirmed;
}

uint32_t input_confirm(struct input *input) {
    input->confirmed = input->taken;
    return input->taken;
}

void input_end(struct input *input) {
    close_pipe(input);
    memory_free(input->added, INPUT_BYTES_MAX);
    *input = (struct input){.fd = -1};
}
