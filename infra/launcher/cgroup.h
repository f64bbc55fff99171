/* The cell's own cgroup, v1 or v2: the launcher measures jobs with its counters. */
#ifndef LAUNCHER_CGROUP_H
#define LAUNCHER_CGROUP_H

#include <stdint.h>

/* Descriptors, opened once, before any job covers /sys in its own view; -1 if a file is missing. */
struct cgroup {
    const char *version; /* "v1", "v2" or "none" */
    int memory_stat;
    int memory_used;
    int memory_limit;
    int oom_events;
    int pids_events;
    int cpu;
};

/* Monotonic counters; -1 means unknown. */
struct cgroup_reading {
    int64_t oom_kills;
    int64_t pids_limit_hits; /* processes and threads that the limit refused */
    int64_t cpu_us;
};

/* Bytes; -1 means unknown. Every page counts once, however many processes map it. */
struct cgroup_pages {
    int64_t anon;
    int64_t shmem; /* files in every tmpfs, and memory that processes share */
    int64_t file;  /* these, and files that are read */
};

void cgroup_open(struct cgroup *cgroup);

struct cgroup_reading cgroup_read(const struct cgroup *cgroup);

/* CPU time used so far; -1: unknown. Costs one read of a small file. */
int64_t cgroup_cpu_us(const struct cgroup *cgroup);

/* Number of OOM-killed processes; -1: unknown. Costs one read of a small file. */
int64_t cgroup_oom_kills(const struct cgroup *cgroup);

/* Costs one read of a small file. The kernel's count may lag by a few hundred pages. */
struct cgroup_pages cgroup_pages(const struct cgroup *cgroup);

/* Parses memory.stat, v1 or v2. */
struct cgroup_pages cgroup_pages_in(const char *version, const char *text);

/*
 * Memory that the cgroup may still be charged for before the kernel kills a process: the rest of its limit, and
 * the pages of files, which can be dropped. These are counted only if the rest alone is not `enough`: that costs
 * more than both other reads. INT64_MAX if there is no limit, or none is known.
 */
int64_t cgroup_bytes_left(const struct cgroup *cgroup, int64_t enough);

/*
 * Kernel memory that the cgroup is charged for now, in bytes; -1: unknown. Never 0 while a process lives,
 * unless the host was booted with cgroup.memory=nokmem: then no cgroup is charged for it.
 */
int64_t cgroup_kernel_bytes(const struct cgroup *cgroup);

/* The number after `key` at the start of a line ("oom_kill 3"), or the first number if `key` is
 * empty; -1 if there is none. */
int64_t number_after(const char *text, const char *key);

#endif
