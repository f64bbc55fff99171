/* One job, as described in the payload of a JOB frame. */
#ifndef LAUNCHER_JOB_H
#define LAUNCHER_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collect.h"

enum {
    JOB_ARGS_MAX = 256,
    JOB_ENV_MAX = 256,
    JOB_FILES_MAX = 256,
    JOB_PATH_BYTES_MAX = 1024,
    /* The view's files have room for this many (view.c). */
    JOB_CPUS_MILLI_MAX = 256 * 1000,
    JOB_TAIL_BYTES_MAX = 8 * 1024 * 1024
};

/* What the job does with the base (base.h). */
enum job_base {
    JOB_BASE_NONE, /* the cell's base, if there is one, is dropped */
    JOB_BASE_KEPT, /* used, and kept for later jobs */
    JOB_BASE_LAST  /* used, and dropped */
};

#define JOB_HOST_NAME "sandbox"

struct job_file {
    char *path; /* relative, inside the working folder */
    const unsigned char *content;
    size_t size;
};

/* All pointers refer to the payload, which must outlive the job. */
struct job {
    uint32_t number;
    bool nested;
    bool preload; /* cloned from the cell's preloaded interpreter, if it has one */
    enum job_base base;
    bool interactive; /* the host adds to the input while the job runs */
    uint32_t timeout_ms; /* 0: none */
    uint32_t cpu_time_ms_max; /* of all processes of the program; 0: any */
    uint32_t head_bytes_max;
    uint32_t tail_bytes_max;
    uint32_t tmp_size_kib;
    uint32_t tmp_inodes_max;
    uint32_t shm_size_kib;
    uint32_t memory_mb;
    uint32_t cpus_milli;
    uint32_t pids;
    uint32_t cpu_first; /* the job's first CPU among the launcher's, counted from 0, modulo their number */
    char *folder; /* absolute */
    char *argv[JOB_ARGS_MAX + 1];
    char *env[JOB_ENV_MAX + 2]; /* with room for a PATH */
    size_t file_count;
    struct job_file files[JOB_FILES_MAX];
    const unsigned char *input;
    size_t input_size;
    struct collect_order collect;    /* has its own copy of the patterns */
};

/*
 * Decodes in place: strings in `payload` are moved and terminated.
 * Returns NULL, or the refusal ("malformed: ..." or "input: ..."); `job->number` is set if the
 * payload has one.
 */
const char *job_decode(struct job *job, unsigned char *payload, size_t size);

#endif
