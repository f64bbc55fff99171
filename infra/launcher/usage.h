/*
 * The memory that a run holds, and its peak: what its processes have in memory, and what lies in its
 * tmpfs. README.md says what counts.
 */
#ifndef LAUNCHER_USAGE_H
#define LAUNCHER_USAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cgroup.h"
#include "room.h"

enum {
    /* Of one look. Where there are more, the rest is what the cgroup counts. */
    USAGE_PROCESSES_MAX = 256,
    USAGE_PROGRAMS_MAX = 32
};

/* One process, as /proc/PID/status has it. Bytes. */
struct usage_process {
    int64_t anon;
    int64_t file;
    int64_t shmem;
    int64_t text; /* of its executable: processes of one program have the same */
};

/* All processes at one moment. */
struct usage_look {
    int processes;
    int64_t anon_sum;
    int64_t anon_max;
    int64_t shmem_max;
    int64_t largest; /* the process that has most in memory */
    int programs;
    struct usage_process program[USAGE_PROGRAMS_MAX]; /* of each the process with most file pages */
};

struct usage {
    const struct cgroup *cgroup;
    int proc_fd;  /* -1: processes cannot be looked at */
    bool stopped; /* nothing is due */
    struct cgroup_pages before; /* what the cgroup counted when the run began, less the launcher's */
    int64_t begun_us;
    int64_t next_us;
    int64_t peak;         /* the highest sum of one look; -1: there was none */
    int64_t largest;      /* the largest process of any look, */
    int64_t beside;       /* and what the run held beside it at that time */
    int64_t reaped_bytes; /* the high-water mark of the largest process that was waited for */
    int64_t oom_kills; /* of the cgroup, at the last look; -1: unknown */
};

/* Once, as long as /proc is the cell's. */
void usage_open(struct usage *usage, const struct cgroup *cgroup);

/* A run begins; its program has not been started. */
void usage_begin(struct usage *usage);

/* Its program runs since `started_us`: looks are due. */
void usage_start(struct usage *usage, int64_t started_us);

/* A process that was waited for, with all that it waited for. */
void usage_reaped(struct usage *usage, int64_t maxrss_kib);

/*
 * Looks, where it is time to. The job's init is not the run's; 0 where there is none. Costs at most a
 * fiftieth of the CPU time of one core.
 */
void usage_watch(struct usage *usage, const struct room *room, pid_t init, int64_t now);

/* When usage_watch has something to do; INT64_MAX: never. */
int64_t usage_due_us(const struct usage *usage);

/* The peak in bytes, or -1; and which way gave it. */
int64_t usage_peak(const struct usage *usage, int64_t oom_kills, const char **source);

/* Its parts, for tests. */
bool usage_process_in(const char *text, struct usage_process *process);
void usage_add(struct usage_look *look, const struct usage_process *process);
int64_t usage_sum(const struct usage_look *look, const struct cgroup_pages *of_run,
                  int64_t held_bytes);

#endif
