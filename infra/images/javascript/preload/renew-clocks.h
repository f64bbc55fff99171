/*
 * performance.now() and process.uptime() count from numbers that nothing exports: two of the process, and one in the
 * middle of node::Environment. They are where the known numbers of nanoseconds are, in node's data or on the C heap.
 * Unless exactly these are found, the clocks count from the zygote's start.
 */
#ifndef PRELOAD_RENEW_CLOCKS_H
#define PRELOAD_RENEW_CLOCKS_H

#include <stddef.h>

/*
 * `milestones` are Node's own (node_perf_common.h): the wall clock at its start, in microseconds; then moments in
 * nanoseconds of the monotonic clock: the origin of its clocks, the environment, node's start, and others; -1: not
 * reached.
 */
void clocks_find(double *milestones, size_t count);

/* A program starts now. */
void clocks_renew(void);

#endif
