/* Microseconds: of CLOCK_MONOTONIC, the same in a job's namespaces, and of the CPU that was used. */
#ifndef LAUNCHER_CLOCK_H
#define LAUNCHER_CLOCK_H

#include <stdint.h>

int64_t now_us(void);

int64_t cpu_now_us(void);

/*
 * How long to wait after a look that began at `before_us` of the CPU's time: at least `every_us`, and
 * so long that looking takes 2 % of a CPU, but for one second at most.
 */
int64_t pause_after_us(int64_t before_us, int64_t every_us);

#endif
