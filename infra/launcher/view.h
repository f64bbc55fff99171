/*
 * A nested job's view of its limits and its user: small read-only files, made for each job, in the
 * places that runtimes and tools read (/proc, /sys, /etc).
 */
#ifndef LAUNCHER_VIEW_H
#define LAUNCHER_VIEW_H

#include <stdbool.h>
#include <sys/types.h>

#include "job.h"

/* Reads the CPU's description, once, at the launcher's start. Reading it for each job may cost milliseconds. */
void view_open(void);

/* The number of CPUs that the job sees: its limit, rounded up. */
unsigned view_cpus(const struct job *job);

/*
 * Writes the files into a fresh tmpfs on /tmp, enters it, and makes it permanently read-only.
 * @returns NULL, or the name of the part that failed (errno has the cause)
 */
const char *view_write(const struct job *job, uid_t uid, gid_t gid);

/*
 * Mounts a new /proc, and binds the files from the folder that view_write entered over it, over /sys and
 * over /etc. Of the kernel's own entries, /proc keeps only processes, `version` and links into /proc/self,
 * all read-only. `*proc` becomes a descriptor of the same /proc that allows writes; exec closes it.
 */
const char *view_mount(int *proc);

#endif
