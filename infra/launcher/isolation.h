/*
 * Isolates a job's process from its cell. Every step returns NULL, or the name of the part that
 * failed (errno has the cause); a job with a failed step is never run.
 */
#ifndef LAUNCHER_ISOLATION_H
#define LAUNCHER_ISOLATION_H

#include <sys/types.h>

#include "base.h"
#include "job.h"

/* Sets the login name of all jobs, if the host allows it. Call once, at the launcher's start, while dumpable. */
void isolation_log_in(void);

/* Forks, bypassing libc; nested: into new namespaces of every kind. */
pid_t isolation_clone(bool nested);

/* The same, nested; the clone is a child of the caller's parent. */
pid_t isolation_clone_sibling(void);

/* First step in the clone: maps the cell's single uid and gid to themselves. The process must be dumpable. */
const char *isolation_map_ids(uid_t uid, gid_t gid);

/*
 * Mounts a fresh /tmp, /dev/shm and /proc, the program of the base (program.h), the job's own view of its limits and
 * its user (view.h), and an empty /dev/mqueue; brings up the loopback; sets the host name to "sandbox".
 */
const char *isolation_mount(const struct job *job, const struct base *base, uid_t uid, gid_t gid);

/*
 * Binds the process to as many of the launcher's CPUs as the job's limit, so that a program that counts
 * its CPUs finds the limit. This does not enforce the limit (a program may change it); the cgroup's quota does.
 */
const char *isolation_take_cpus(const struct job *job);

/* Drops all capabilities from all sets, permanently. */
const char *isolation_drop_capabilities(bool nested);

/* When memory runs out, the kernel kills the process with the highest score: this one before the launcher. */
const char *isolation_raise_oom_score(int at_least);

#endif
