#include "job.h"

#include <string.h>

#include "fields.h"

static void take_strings(struct cursor *cursor, char **strings, size_t count_max) {
    size_t count = take_count(cursor, count_max);
    for (size_t i = 0; i < count && cursor->fault == NULL; i++) strings[i] = take_string(cursor);
}

static void take_files(struct cursor *cursor, struct job *job) {
    size_t count = take_count(cursor, JOB_FILES_MAX);
    for (size_t i = 0; i < count && cursor->fault == NULL; i++) {
        struct job_file *file = &job->files[job->file_count++];
        file->path = take_string(cursor);
        check_path(cursor, file->path, file->path == NULL ? 0 : strlen(file->path));
        file->content = take_bytes(cursor, &file->size);
    }
}

static void take_limits(struct cursor *cursor, struct job *job) {
    uint8_t isolation = take_u8(cursor);
    fault_if(cursor, isolation > 1, "malformed: unknown isolation");
    job->nested = isolation == 1;
    uint8_t preload = take_u8(cursor);
    fault_if(cursor, preload > 1, "malformed: unknown preload");
    job->preload = preload == 1;
    uint8_t base = take_u8(cursor);
    fault_if(cursor, base > JOB_BASE_LAST, "malformed: unknown use of the base");
    job->base = base;
    uint8_t interactive = take_u8(cursor);
    fault_if(cursor, interactive > 1, "malformed: unknown kind of input");
    job->interactive = interactive == 1;
    job->timeout_ms = take_u32(cursor);
    job->cpu_time_ms_max = take_u32(cursor);
    job->head_bytes_max = take_u32(cursor);
    job->tail_bytes_max = take_u32(cursor);
    fault_if(cursor, job->tail_bytes_max > JOB_TAIL_BYTES_MAX, "malformed: the tail is too long");
    job->tmp_size_kib = take_u32(cursor);
    job->tmp_inodes_max = take_u32(cursor);
    job->shm_size_kib = take_u32(cursor);
    job->memory_mb = take_u32(cursor);
    job->cpus_milli = take_u32(cursor);
    job->pids = take_u32(cursor);
    job->cpu_first = take_u32(cursor);
    /* For tmpfs, 0 means no limit. */
    fault_if(cursor,
             job->nested && !(job->tmp_size_kib && job->tmp_inodes_max && job->shm_size_kib),
             "malformed: /tmp and /dev/shm need limits");
    fault_if(cursor, job->memory_mb == 0 || job->cpus_milli == 0 || job->pids == 0,
             "malformed: a job needs limits");
    fault_if(cursor, job->cpus_milli > JOB_CPUS_MILLI_MAX, "malformed: too many CPUs");
}

static void take_collect(struct cursor *cursor, struct collect_order *order) {
    uint32_t count = take_u32(cursor);
    fault_if(cursor, count > GLOBS_MAX, "malformed: too many patterns");
    for (uint32_t i = 0; i < count && cursor->fault == NULL; i++) {
        const char *pattern = take_string(cursor);
        fault_if(cursor, pattern != NULL && !globs_add(&order->globs, pattern),
                 "input: a pattern must be relative and stay in the working folder");
    }
    const char *except = take_string(cursor);
    fault_if(cursor, except != NULL && strlen(except) > COLLECT_PATH_BYTES_MAX, "malformed: an exception is too long");
    if (cursor->fault == NULL) strcpy(order->except, except);
    order->files_max = take_u32(cursor);
    order->file_bytes_max = take_u32(cursor);
    order->bytes_max = take_u32(cursor);
    fault_if(cursor, count > 0 && (order->files_max == 0 || order->files_max > COLLECT_FILES_MAX),
             "malformed: too many files to collect, or none");
}

static bool is_variable(const char *text) {
    const char *equals = strchr(text, '=');
    return equals != NULL && equals != text;
}

static void check(struct cursor *cursor, const struct job *job) {
    take_end(cursor);
    if (cursor->fault != NULL) return;
    fault_if(cursor, !path_is_absolute(job->folder, strlen(job->folder)),
             "input: the working folder must be an absolute path");
    fault_if(cursor, job->argv[0] == NULL || job->argv[0][0] == 0, "malformed: no program");
    for (size_t i = 0; job->env[i] != NULL; i++)
        fault_if(cursor, !is_variable(job->env[i]), "malformed: a variable is NAME=value");
}

const char *job_decode(struct job *job, unsigned char *payload, size_t size) {
    struct cursor cursor = {payload, size, NULL};
    memset(job, 0, sizeof *job);
    job->number = take_u32(&cursor);
    take_limits(&cursor, job);
    job->folder = take_string(&cursor);
    take_strings(&cursor, job->argv, JOB_ARGS_MAX);
    take_strings(&cursor, job->env, JOB_ENV_MAX);
    take_files(&cursor, job);
    job->input = take_bytes(&cursor, &job->input_size);
    take_collect(&cursor, &job->collect);
    check(&cursor, job);
    return cursor.fault;
}
