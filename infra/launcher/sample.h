/* A program that a preloaded interpreter runs before its first job, to learn which pages a program uses. */
#ifndef LAUNCHER_SAMPLE_H
#define LAUNCHER_SAMPLE_H

#include <stdbool.h>

#include "snapshot.h"

/*
 * Forks the sample, with its streams at /dev/null, in /.
 * @returns true in the sample; false in the zygote, when the sample has ended and `use` is filled. If it fails, the
 * zygote exits.
 */
bool sample_run(struct snapshot_use *use);

/* Whether this process is the sample. */
bool sample_is_running(void);

/* In the sample, at its end. */
void sample_report(void);

#endif
