/* The last frame about a job: how it ended, and the resources it used. */
#ifndef LAUNCHER_REPORT_H
#define LAUNCHER_REPORT_H

#include "run.h"

/* Sends REFUSED if the program never ran, otherwise the trailer. Allocates nothing. */
void report_end(struct run *run);

#endif
