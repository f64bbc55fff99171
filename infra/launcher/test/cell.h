/* A launcher under test, seen from its host. */
#ifndef LAUNCHER_TEST_CELL_H
#define LAUNCHER_TEST_CELL_H

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "job-bytes.h"

enum { ANSWER_MS_MAX = 20000, KEPT_BYTES_MAX = 4 * 1024 * 1024, TYPES_MAX = 4096 };

struct cell {
    pid_t pid;
    int in, out;
};

/* All that was said of one job. */
struct answer {
    uint32_t number;
    char types[TYPES_MAX]; /* of its frames, in order; of output frames in a row, one */
    char out[KEPT_BYTES_MAX], err[KEPT_BYTES_MAX], out_tail[KEPT_BYTES_MAX], files[KEPT_BYTES_MAX];
    size_t out_size, err_size, out_tail_size, files_size;
    uint32_t confirmed, confirmations; /* of input: the last, and how many */
    char end[2048]; /* the trailer or the refusal */
};

/* Starts argv[0], a launcher. */
static inline void cell_start(struct cell *cell, const char *const *argv) {
    int in[2], out[2];
    CHECK(pipe(in) == 0 && pipe(out) == 0);
    cell->pid = fork();
    CHECK(cell->pid >= 0);
    if (cell->pid == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        close(in[0]);
        close(in[1]);
        close(out[0]);
        close(out[1]);
        execv(argv[0], (char *const *)argv);
        _exit(126);
    }
    close(in[0]);
    close(out[1]);
    cell->in = in[1];
    cell->out = out[0];
}

static inline void cell_write(struct cell *cell, const void *bytes, size_t size) {
    for (const char *next = bytes; size > 0;) {
        ssize_t count = write(cell->in, next, size);
        CHECK(count > 0);
        next += count;
        size -= (size_t)count;
    }
}

static inline void cell_send(struct cell *cell, enum frame_type type, const void *bytes,
                             size_t size) {
    unsigned char header[FRAME_HEADER_BYTES];
    frame_header_write(header, type, size);
    cell_write(cell, header, sizeof header);
    cell_write(cell, bytes, size);
}

static inline void cell_kill(struct cell *cell, uint32_t number) {
    unsigned char bytes[FRAME_NUMBER_BYTES];
    u32_write(bytes, number);
    cell_send(cell, FRAME_KILL, bytes, sizeof bytes);
}

/* Adds to the input of a job; without bytes, ends it. */
static inline void cell_input(struct cell *cell, uint32_t number, const void *bytes, size_t size) {
    static unsigned char payload[FRAME_NUMBER_BYTES + INPUT_BYTES_MAX + 1];
    CHECK(size <= sizeof payload - FRAME_NUMBER_BYTES);
    u32_write(payload, number);
    memcpy(payload + FRAME_NUMBER_BYTES, bytes, size);
    cell_send(cell, FRAME_INPUT, payload, FRAME_NUMBER_BYTES + size);
}

static inline void cell_read(struct cell *cell, void *bytes, size_t size) {
    for (char *next = bytes; size > 0;) {
        struct pollfd fd = {.fd = cell->out, .events = POLLIN};
        CHECK(poll(&fd, 1, ANSWER_MS_MAX) == 1);
        ssize_t count = read(cell->out, next, size);
        CHECK(count > 0);
        next += count;
        size -= (size_t)count;
    }
}

static inline size_t cell_frame(struct cell *cell, char *type, unsigned char *payload) {
    unsigned char header[FRAME_HEADER_BYTES];
    cell_read(cell, header, sizeof header);
    size_t size = u32_read(header + 1);
    CHECK(size <= FRAME_OUT_BYTES_MAX);
    cell_read(cell, payload, size);
    *type = (char)header[0];
    return size;
}

static inline void keep(char *to, size_t *to_size, const void *bytes, size_t size) {
    CHECK(*to_size + size < KEPT_BYTES_MAX);
    memcpy(to + *to_size, bytes, size);
    *to_size += size;
    to[*to_size] = 0;
}

/* Reads one frame about a job into `answer`. Returns whether it was the last. */
static inline int answer_take(struct answer *answer, char type, const unsigned char *payload,
                              size_t size) {
    size_t types = strlen(answer->types);
    CHECK(size >= FRAME_NUMBER_BYTES && types + 1 < TYPES_MAX);
    CHECK(types == 0 || answer->number == u32_read(payload));
    answer->number = u32_read(payload);
    payload += FRAME_NUMBER_BYTES;
    size -= FRAME_NUMBER_BYTES;
    if (types == 0 || answer->types[types - 1] != type) answer->types[types] = type;
    if (type == FRAME_STDOUT) keep(answer->out, &answer->out_size, payload, size);
    if (type == FRAME_STDERR) keep(answer->err, &answer->err_size, payload, size);
    if (type == FRAME_FILES) keep(answer->files, &answer->files_size, payload, size);
    if (type == FRAME_STDOUT_TAIL) keep(answer->out_tail, &answer->out_tail_size, payload, size);
    if (type == FRAME_INPUT) {
        CHECK(size == 4);
        answer->confirmed = u32_read(payload);
        answer->confirmations++;
    }
    if (type != FRAME_TRAILER && type != FRAME_REFUSED) return 0;
    CHECK(size < sizeof answer->end);
    memcpy(answer->end, payload, size);
    return 1;
}

/* Everything up to the trailer or the refusal of one job; valid until the next call. */
static inline const struct answer *cell_answer(struct cell *cell) {
    static struct answer answer;
    static unsigned char payload[FRAME_OUT_BYTES_MAX];
    char type;
    memset(&answer, 0, sizeof answer);
    for (;;) {
        size_t size = cell_frame(cell, &type, payload);
        if (answer_take(&answer, type, payload, size)) return &answer;
    }
}

static inline int has_line(const struct answer *answer, const char *line) {
    size_t size = strlen(line);
    for (const char *at = answer->end; at != NULL; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (strncmp(at, line, size) == 0 && (at[size] == '\n' || at[size] == 0)) return 1;
    }
    return 0;
}

/* Closes its input and waits. Returns the wait status. */
static inline int cell_end(struct cell *cell) {
    int status;
    close(cell->in);
    CHECK(waitpid(cell->pid, &status, 0) == cell->pid);
    close(cell->out);
    return status;
}

#endif
