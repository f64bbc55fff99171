/*
 * The memory of a run, and its peak: the resident memory of its processes and the files in its tmpfs.
 * README.md defines what counts.
 */
#ifndef LAUNCHER_USAGE_H
#define LAUNCHER_USAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cgroup.h"
#include "processes.h"
#include "room.h"

enum { USAGE_PROGRAMS_MAX = 32 };

/* All processes at one moment. */
struct usage_look {
    bool complete; /* no process is missing */
    int processes;
    int64_t anon_sum;
    int64_t anon_max;
    int64_t shmem_max;
    int64_t largest; /* resident bytes of the largest process */
    int programs;
    struct process_memory program[USAGE_PROGRAMS_MAX]; /* for each, its process with the most file pages */
};

struct usage {
    const struct cgroup *cgroup;
    struct processes processes;
    bool stopped; /* nothing is due */
    struct cgroup_pages before; /* what the cgroup counted when the run began, less the launcher's */
    int64_t program_bytes; /* of a compiled program, in a file system of its own */
    int64_t begun_us;
    int64_t next_us;
    int64_t peak;         /* the highest sum of one sample; -1: there was none */
    int64_t largest;      /* the largest process of any sample, */
    int64_t beside;       /* and the rest of the run's memory at that time */
    int64_t reaped_bytes; /* the high-water mark of the largest process that was waited for */
    pid_t zygote;        /* 0: there is none */
    int64_t zygote_anon; /* bytes */
};

/* Call once, while /proc is the cell's. */
void usage_open(struct usage *usage, const struct cgroup *cgroup);

/* The cell has a zygote, which is not counted. 0: it has none. */
void usage_set_zygote(struct usage *usage, pid_t zygote);

/* The run's processes are forked from the zygote: its pages count as theirs, once. Call it after usage_begin. */
void usage_share_zygote(struct usage *usage);

/* A run begins; its program has not started. */
void usage_begin(struct usage *usage);

/* Files in memory of this size, which were there when the run began, are removed before its program starts. */
void usage_release(struct usage *usage, int64_t bytes);

/* The run has a compiled program of this size, mounted apart: only what processes have mapped of it counts. */
void usage_mount(struct usage *usage, int64_t program_bytes);

/* Its program has been running since `started_us`: sampling begins. */
void usage_start(struct usage *usage, int64_t started_us);

/* Records the maxrss of a process that was waited for, which includes its own reaped children. */
void usage_reaped(struct usage *usage, int64_t maxrss_kib);

/* The run is over: nothing is due. */
void usage_end(struct usage *usage);

/*
 * Takes a sample if one is due. The job's `init` (0: none) is not counted. Costs at most a fiftieth of the
 * CPU time of one core.
 */
void usage_watch(struct usage *usage, const struct room *room, pid_t init, int64_t now);

/* When the next sample is due; INT64_MAX: never. */
int64_t usage_due_us(const struct usage *usage);

/* The peak in bytes, or -1; `*source` is set to its source. `limit`: the run's memory limit. */
int64_t usage_peak(const struct usage *usage, int64_t oom_kills, int64_t limit, const char **source);

/* Exposed for tests. */
void usage_add(struct usage_look *look, const struct process_memory *process);
int64_t usage_sum(const struct usage_look *look, const struct cgroup_pages *of_run,
                  int64_t held_bytes);

#endif
