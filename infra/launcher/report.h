/* The last frame about a job: how it ended and what it took. */
#ifndef LAUNCHER_REPORT_H
#define LAUNCHER_REPORT_H

#include "run.h"

/* Sends REFUSED for a program that never ran, else the trailer. Allocates nothing. */
void report_end(struct run *run);

#endif
