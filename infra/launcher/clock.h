/* Microseconds of CLOCK_MONOTONIC, which is the same in a job's namespaces, and of CPU time used. */
#ifndef LAUNCHER_CLOCK_H
#define LAUNCHER_CLOCK_H

#include <stdint.h>

int64_t now_us(void);

int64_t cpu_now_us(void);

/*
 * How long to wait after a check that began at `before_us` of CPU time: at least `every_us`, and so
 * long that checks take 2 % of a CPU, but at most one second.
 */
int64_t pause_after_us(int64_t before_us, int64_t every_us);

#endif
