/* Builds the payloads of JOB and BASE frames, as the host does. */
#ifndef LAUNCHER_TEST_JOB_BYTES_H
#define LAUNCHER_TEST_JOB_BYTES_H

#include <stdlib.h>
#include <string.h>

#include "frames.h"
#include "job.h"

enum { JOB_BYTES_MAX = 4 * 1024 * 1024 };

struct job_bytes {
    unsigned char bytes[JOB_BYTES_MAX];
    size_t size;
};

static inline void put_u32(struct job_bytes *job, uint32_t value) {
    u32_write(job->bytes + job->size, value);
    job->size += 4;
}

static inline void put_bytes(struct job_bytes *job, const void *bytes, size_t size) {
    put_u32(job, (uint32_t)size);
    if (size > 0) memcpy(job->bytes + job->size, bytes, size);
    job->size += size;
}

static inline void put_text(struct job_bytes *job, const char *text) {
    put_bytes(job, text, strlen(text));
}

static inline void put_list(struct job_bytes *job, const char *const *texts) {
    uint32_t count = 0;
    while (texts[count] != NULL) count++;
    put_u32(job, count);
    for (uint32_t i = 0; i < count; i++) put_text(job, texts[i]);
}

/* A list of one file, or of none. */
static inline void put_file(struct job_bytes *job, const char *path, const char *content) {
    put_u32(job, path != NULL);
    if (path == NULL) return;
    put_text(job, path);
    put_text(job, content);
}

struct base_spec {
    const char *path, *content; /* one file, or none */
    const char *program_path, *program;
};

static inline void put_base(struct job_bytes *base, const struct base_spec *spec) {
    base->size = 0;
    put_file(base, spec->path, spec->content);
    put_text(base, spec->program_path != NULL ? spec->program_path : "");
    put_text(base, spec->program != NULL ? spec->program : "");
}

/* What a test says of its job; the rest is as usual. */
struct job_spec {
    uint32_t number;
    unsigned char isolation, preload, base, interactive;
    uint32_t timeout_ms, cpu_time_max, head_max, tail_max, cpus_milli;
    const char *folder;
    const char *const *argv;
    const char *const *env;
    const char *path, *content; /* one file, or none */
    const char *input;
    size_t input_size; /* 0: to its end */
    const char *const *patterns; /* of wanted files */
    const char *except;
    uint32_t files_max, file_bytes_max, bytes_max; /* 0: 64, 1 MiB, 2 MiB */
};

static inline void put_job(struct job_bytes *job, const struct job_spec *spec) {
    static const char *const nothing[] = {NULL};
    job->size = 0;
    put_u32(job, spec->number);
    job->bytes[job->size++] = spec->isolation;
    job->bytes[job->size++] = spec->preload;
    job->bytes[job->size++] = spec->base;
    job->bytes[job->size++] = spec->interactive;
    put_u32(job, spec->timeout_ms);
    put_u32(job, spec->cpu_time_max);
    put_u32(job, spec->head_max);
    put_u32(job, spec->tail_max);
    put_u32(job, 16384);
    put_u32(job, 1024);
    put_u32(job, 4096);
    put_u32(job, 64);
    put_u32(job, spec->cpus_milli != 0 ? spec->cpus_milli : 1000);
    put_u32(job, 32);
    put_u32(job, 3);
    put_text(job, spec->folder);
    put_list(job, spec->argv);
    put_list(job, spec->env != NULL ? spec->env : nothing);
    put_file(job, spec->path, spec->content);
    const char *input = spec->input != NULL ? spec->input : "";
    put_bytes(job, input, spec->input_size > 0 ? spec->input_size : strlen(input));
    put_list(job, spec->patterns != NULL ? spec->patterns : nothing);
    put_text(job, spec->except != NULL ? spec->except : "");
    put_u32(job, spec->files_max != 0 ? spec->files_max : 64);
    put_u32(job, spec->file_bytes_max != 0 ? spec->file_bytes_max : 1 << 20);
    put_u32(job, spec->bytes_max != 0 ? spec->bytes_max : 2 << 20);
}

#endif
