/* The cell's own cgroup, v1 or v2: what the launcher measures a job by. */
#ifndef LAUNCHER_CGROUP_H
#define LAUNCHER_CGROUP_H

#include <stdint.h>

/* Descriptors opened once, before any job covers /sys in its own view; -1 where a file is not. */
struct cgroup {
    const char *version; /* "v1", "v2" or "none" */
    int memory_now;
    int memory_peak;
    int oom_events;
    int cpu;
};

/* -1 is "unknown". */
struct cgroup_reading {
    int64_t memory_peak;
    int64_t oom_kills;
    int64_t cpu_us;
};

void cgroup_open(struct cgroup *cgroup);

struct cgroup_reading cgroup_read(const struct cgroup *cgroup);

/* Bytes in use now, or -1. One read of a small file: cheap enough for every few milliseconds. */
int64_t cgroup_memory_now(const struct cgroup *cgroup);

/* The number after `key` at the start of a line ("oom_kill 3"), or the first one where `key` is
 * empty; -1 where there is none. */
int64_t number_after(const char *text, const char *key);

#endif
