/*
 * What makes a job's process a stranger to its cell. Every step answers NULL, or the name of what
 * failed (errno says why); a job with a failed step is never run.
 */
#ifndef LAUNCHER_ISOLATION_H
#define LAUNCHER_ISOLATION_H

#include <sys/types.h>

#include "job.h"

/* Once, at the launcher's start, while it is dumpable: the login name of its jobs, where the host allows it. */
void isolation_log_in(void);

/* A fork without libc's knowledge; in the nested case into new namespaces of every kind. */
pid_t isolation_clone(bool nested);

/* First step in the clone: the cell's one uid and gid, each mapped to itself. Must be dumpable. */
const char *isolation_map_ids(uid_t uid, gid_t gid);

/*
 * Fresh /tmp, /dev/shm and /proc, the job's own view of its limits and its user (view.h), nothing in
 * /dev/mqueue; a loopback; the host's name is "sandbox".
 */
const char *isolation_mount(const struct job *job, uid_t uid, gid_t gid);

/*
 * As many of the launcher's CPUs as the job has, so that whoever counts those it may use finds its
 * limit. No bound (a program may ask for others): the cgroup's quota is that.
 */
const char *isolation_take_cpus(const struct job *job);

/* No capability in any set, none to be had again. */
const char *isolation_drop_capabilities(bool nested);

/* Out of memory, the kernel picks the highest score: this process before the launcher. */
const char *isolation_raise_oom_score(int at_least);

#endif
