/*
 * What a nested job sees of its limits and of its user: small read-only files, made for each job, in
 * the places where runtimes and tools look (/proc, /sys, /etc).
 */
#ifndef LAUNCHER_VIEW_H
#define LAUNCHER_VIEW_H

#include <stdbool.h>
#include <sys/types.h>

#include "job.h"

/* Once, at the launcher's start: the CPU's description. Reading it for each job may cost milliseconds. */
void view_open(void);

/* How many CPUs the job sees: its limit, rounded up. */
unsigned view_cpus(const struct job *job);

/*
 * Writes the files into a fresh tmpfs on /tmp, enters it, and makes it read-only for good.
 * @returns NULL, or the name of what failed (errno says why)
 */
const char *view_write(const struct job *job, uid_t uid, gid_t gid);

/*
 * From the folder that view_write entered: mounts a new /proc and binds the files over it, over /sys
 * and over /etc. In /proc nothing of the kernel's own remains but processes, `version` and links into
 * /proc/self, and nothing can be written; `*proc` becomes a folder of the same /proc that can be
 * written to, which exec closes.
 */
const char *view_mount(int *proc);

#endif
