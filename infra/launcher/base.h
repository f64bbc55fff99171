/*
 * What several jobs have in common: files and a compiled program, which the host sends once. The launcher keeps them
 * in a file in memory, as they came, and has none of it mapped: a job's init copies what it needs, so nothing of it
 * counts as memory of the init or the program.
 */
#ifndef LAUNCHER_BASE_H
#define LAUNCHER_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "job.h"

struct base {
    int fd; /* -1: there is none */
    uint32_t size;
    uint32_t file_count;
    uint32_t program_at;   /* where its part begins */
    uint32_t program_size; /* 0: there is no program */
    bool is_last;          /* what has been copied is removed: the job's memory need not hold it twice */
};

/* The launcher's own. */
struct base_holder {
    struct base base;
    const char *fault;     /* why there is none: the refusal of a job that asks for it */
    unsigned char *memory; /* of the file, while it is received; else NULL */
};

void base_open(struct base_holder *holder);

/* Afterwards there is none. */
void base_drop(struct base_holder *holder);

/*
 * A base of this size arrives, in place of the one before, which must have been dropped. `fault`: why it cannot be
 * kept, or NULL.
 * @returns where it goes; NULL: nowhere, it is skipped
 */
unsigned char *base_receive(struct base_holder *holder, size_t size, const char *fault);

/* All of it has arrived. */
void base_received(struct base_holder *holder);

/* Finds the parts, and changes nothing in the payload. @returns NULL, or the refusal, as job_decode */
const char *base_decode(struct base *base, unsigned char *payload, size_t size);

/* A path, and a content of this size that begins there. */
struct base_part {
    char path[1 + JOB_PATH_BYTES_MAX + 1];
    uint32_t content_at;
    uint32_t content_size;
};

/* Where the part of the first file begins. */
uint32_t base_files_at(void);

/* Reads the part that begins at `*at`, which becomes the end of it. @returns false, with errno */
bool base_read(const struct base *base, uint32_t *at, struct base_part *part);

/* Writes the content. @returns false, with errno */
bool base_copy(const struct base *base, const struct base_part *part, int to);

#endif
