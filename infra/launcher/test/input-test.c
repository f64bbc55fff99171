/* The input of a job, on its way into a pipe: random orders of adding, writing and reading, against a plain model. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "frames.h"
#include "input.h"
#include "memory.h"
#include "random.h"

enum { ROUNDS = 60, STEPS = 200, OWN_BYTES_MAX = 100 * 1024, READ_BYTES_MAX = 40 * 1024 };

static struct input input;
static int reader;

/* What stands at a place of the input is the same in no other place near it. */
static void fill(unsigned char *bytes, size_t place, size_t size) {
    for (size_t i = 0; i < size; i++) bytes[i] = (unsigned char)((place + i) * 31 + (place + i) / 251);
}

static void begin(size_t own_size, bool interactive) {
    static struct job job;
    unsigned char *payload = memory_alloc(own_size, MEMORY_INHERITED);
    fill(payload, 0, own_size);
    job.input = payload;
    job.input_size = own_size;
    job.interactive = interactive;
    CHECK(input_begin(&input, &job, payload, own_size) && input_make_pipe(&input, &reader));
    CHECK(fcntl(reader, F_SETFL, O_NONBLOCK) == 0);
}

static void end(void) {
    input_end(&input);
    if (reader >= 0) close(reader);
}

/* @returns how many bytes; 0 if there are none now, -1 at the end */
static ssize_t read_some(size_t place, size_t size) {
    static unsigned char bytes[READ_BYTES_MAX], expected[READ_BYTES_MAX];
    ssize_t count = read(reader, bytes, size);
    if (count > 0) fill(expected, place, (size_t)count);
    CHECK(count <= 0 || memcmp(bytes, expected, (size_t)count) == 0);
    return count < 0 ? 0 : count == 0 ? -1 : count;
}

static void keeps_order_and_bounds(void) {
    static unsigned char bytes[INPUT_BYTES_MAX];
    for (int round = 0; round < ROUNDS; round++) {
        size_t own = below(OWN_BYTES_MAX), added = 0, seen = 0;
        uint32_t confirmed;
        ssize_t count = 0;
        begin(own, true);
        /* The counters wrap. */
        uint32_t first = confirmed = 0xffff0000u + random_u32() % 65536;
        input.received = input.taken = input.confirmed = first;
        for (int step = 0; step < STEPS; step++) {
            size_t free = INPUT_BYTES_MAX - (first + (uint32_t)added - confirmed);
            size_t size = below(3) ? below(free < 600 ? free : 600) : below(free);
            fill(bytes, own + added, size);
            /* Nothing: that would be its end. */
            if (size > 0) CHECK(input_add(&input, bytes, size));
            added += size;
            if (below(4)) input_feed(&input);
            if (below(2)) seen += (size_t)read_some(seen, 1 + below(READ_BYTES_MAX));
            CHECK(seen <= own + added && (seen < own || (uint32_t)(seen - own) <= input.taken - first));
            if (below(2)) confirmed = input_confirm(&input);
            CHECK(input.taken - confirmed <= INPUT_BYTES_MAX);
            CHECK(input_is_unconfirmed(&input) == (input.taken != confirmed));
        }
        CHECK(input_add(&input, NULL, 0) && input_add(&input, bytes, 1));
        for (; count >= 0; seen += count > 0 ? (size_t)count : 0) {
            input_feed(&input);
            count = read_some(seen, READ_BYTES_MAX);
        }
        CHECK(seen == own + added && input.taken == first + (uint32_t)added && input.fd < 0);
        end();
    }
}

static void refuses_more_than_the_bound(void) {
    static unsigned char bytes[INPUT_BYTES_MAX];
    begin(0, true);
    CHECK(input_add(&input, bytes, INPUT_BYTES_MAX) && !input_add(&input, bytes, 1));
    input_feed(&input);
    CHECK(input.taken > 0 && !input_add(&input, bytes, 1));
    CHECK(input_confirm(&input) == input.taken && input_add(&input, bytes, 1));
    end();
}

static void takes_all_once_nobody_reads(void) {
    static unsigned char bytes[INPUT_BYTES_MAX];
    begin(OWN_BYTES_MAX, true);
    CHECK(input_add(&input, bytes, 1000));
    input_feed(&input);
    CHECK(input_is_waiting(&input) && !input_is_unconfirmed(&input));
    close(reader);
    reader = -1;
    input_feed(&input);
    CHECK(!input_is_waiting(&input) && input_confirm(&input) == 1000);
    CHECK(input_add(&input, bytes, INPUT_BYTES_MAX) && input_confirm(&input) == 1000 + INPUT_BYTES_MAX);
    CHECK(input_add(&input, NULL, 0) && input_add(&input, bytes, 1) && !input_is_unconfirmed(&input));
    end();
}

static void ends_with_the_own_bytes_if_it_is_not_interactive(void) {
    begin(10, false);
    CHECK(input_add(&input, (const unsigned char *)"x", 1) && !input_is_unconfirmed(&input));
    input_feed(&input);
    CHECK(input.fd < 0 && read_some(0, 100) == 10 && read_some(0, 100) == -1);
    end();
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    random_seed(1);
    keeps_order_and_bounds();
    refuses_more_than_the_bound();
    takes_all_once_nobody_reads();
    ends_with_the_own_bytes_if_it_is_not_interactive();
    return checks_done("input-test");
}
