/*
 * The standard input of a job: the job's own bytes, and, if it is interactive, what the host adds while it runs. The
 * pipe is filled as the program reads.
 */
#ifndef LAUNCHER_INPUT_H
#define LAUNCHER_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "job.h"

struct input {
    int fd; /* -1 once the program has all of it, or reads no more */
    const unsigned char *own;
    size_t own_left;
    unsigned char *payload; /* holds the job's own; NULL once that has ended */
    size_t payload_size;
    bool is_open;         /* the host may add more */
    unsigned char *added; /* INPUT_BYTES_MAX: what the host has added, and the pipe has not taken */
    size_t added_begin;
    size_t added_end;
    /* How many bytes the host has added since the job began; modulo 2^32, as in frames. */
    uint32_t received;
    uint32_t taken; /* by the pipe. All of them, once the program reads no more */
    uint32_t confirmed;
};

/* Takes the payload. @returns false if there is no memory for what the host adds */
bool input_begin(struct input *input, const struct job *job, unsigned char *payload, size_t payload_size);

/* Its pipe; `*theirs` is the program's end. @returns false, with errno */
bool input_make_pipe(struct input *input, int *theirs);

/* The job's init has the rest of the payload. */
void input_drop_rest(struct input *input);

/*
 * The host adds these bytes; none: there is nothing more to come. Ignored once that is so.
 * @returns false if more than INPUT_BYTES_MAX would not be confirmed
 */
bool input_add(struct input *input, const unsigned char *bytes, size_t size);

/* Writes as much as the pipe accepts now. */
void input_feed(struct input *input);

/* Whether the pipe has to be polled. */
bool input_is_waiting(const struct input *input);

/* Whether the host does not know how much has been taken. */
bool input_is_unconfirmed(const struct input *input);

/* @returns what has been taken, which the host is told now */
uint32_t input_confirm(struct input *input);

/* Drops what is left. */
void input_end(struct input *input);

#endif
