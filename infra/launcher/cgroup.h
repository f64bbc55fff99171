/* The cell's own cgroup, v1 or v2: what the launcher measures a job by. */
#ifndef LAUNCHER_CGROUP_H
#define LAUNCHER_CGROUP_H

#include <stdint.h>

/* Descriptors opened once, before any job covers /sys in its own view; -1 where a file is not. */
struct cgroup {
    const char *version; /* "v1", "v2" or "none" */
    int memory_stat;
    int memory_limit;
    int oom_events;
    int pids_events;
    int cpu;
};

/* Counters that only rise; -1 is "unknown". */
struct cgroup_reading {
    int64_t oom_kills;
    int64_t pids_limit_hits; /* processes and threads that the limit refused */
    int64_t cpu_us;
};

/* Bytes; -1 is "unknown". Every page counts once, however many processes map it. */
struct cgroup_pages {
    int64_t anon;
    int64_t shmem; /* files in every tmpfs, and memory that processes share */
};

void cgroup_open(struct cgroup *cgroup);

struct cgroup_reading cgroup_read(const struct cgroup *cgroup);

/* Processes that were killed for want of memory; -1: unknown. One read of a small file. */
int64_t cgroup_oom_kills(const struct cgroup *cgroup);

/* One read of a small file. The kernel may be late by a few hundred pages. */
struct cgroup_pages cgroup_pages(const struct cgroup *cgroup);

/* Of memory.stat, v1 or v2. */
struct cgroup_pages cgroup_pages_in(const char *version, const char *text);

/* The memory limit in bytes; -1: none, or unknown. */
int64_t cgroup_memory_limit(const struct cgroup *cgroup);

/*
 * The kernel's memory that the cgroup is charged with now, in bytes: never 0 for a process that lives,
 * unless the host was booted so that nobody is charged with it (cgroup.memory=nokmem); -1: unknown.
 */
int64_t cgroup_kernel_bytes(const struct cgroup *cgroup);

/* The number after `key` at the start of a line ("oom_kill 3"), or the first one where `key` is
 * empty; -1 where there is none. */
int64_t number_after(const char *text, const char *key);

#endif
