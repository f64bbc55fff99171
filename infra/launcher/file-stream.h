/* The files of one job on their way from its init (plain: a process of their own) to the host. */
#ifndef LAUNCHER_FILE_STREAM_H
#define LAUNCHER_FILE_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "host.h"
#include "job.h"

struct file_stream {
    int fd;         /* -1: no files are wanted, or nothing more comes */
    int plain_fd;   /* its other end, for the process that collects; nested: -1, the init has it */
    struct collect_order order; /* plain */
    char folder[1 + JOB_PATH_BYTES_MAX + 1]; /* absolute */
    int64_t over_us; /* when the job's last process was dead; 0 before that is known */
    int64_t give_up_us; /* when whoever collects is killed; INT64_MAX: never */
};

void file_stream_begin(struct file_stream *files);

/* @param fd the end of a pipe whose other end the init has; plain: `*other`, which it takes */
void file_stream_open(struct file_stream *files, const struct job *job, int fd, int *other);

void file_stream_close(struct file_stream *files);

/* Plain, when all processes of the job are dead. @returns whether files are to be collected first, and are now */
bool file_stream_collect_plain(struct file_stream *files);

/* All is over but the files: the time and CPU time of the job no longer count. */
bool file_stream_has_begun(const struct file_stream *files);

/*
 * Passes on as much as the host takes now: to begin with, an empty frame.
 * @returns whether the files begin with this call
 */
bool file_stream_pass(struct file_stream *files, struct host *host, uint32_t number);

#endif
