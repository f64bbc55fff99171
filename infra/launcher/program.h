/* The program of the base of a nested job, in a file system of its own, which nobody can write. */
#ifndef LAUNCHER_PROGRAM_H
#define LAUNCHER_PROGRAM_H

#include "base.h"

/*
 * Mounts it in the job's /tmp, which must be mounted before: a file of which the job is the owner could be made
 * writable, and replaced.
 * @returns NULL, or what failed, with errno
 */
const char *program_mount(const struct base *base);

#endif
