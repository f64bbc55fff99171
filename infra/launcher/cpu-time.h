/* The limit of a program's CPU time: that of all its processes together. */
#ifndef LAUNCHER_CPU_TIME_H
#define LAUNCHER_CPU_TIME_H

#include <stdbool.h>
#include <stdint.h>

struct cpu_time {
    int64_t us_max; /* 0: none */
    int64_t cpus;   /* how many the program can use at once */
    int64_t end_us; /* the counter's value at the limit; meaningful once the program runs */
    int64_t due_us; /* the next look at the counter; INT64_MAX: never */
};

/* For a program whose CPU time does not count yet. */
void cpu_time_begin(struct cpu_time *cpu_time, uint32_t ms_max, uint32_t cpus_milli);

/* The program starts at `now_us`, when the counter is at `used_us` (-1: unknown, then there is no limit). */
void cpu_time_start(struct cpu_time *cpu_time, int64_t used_us, int64_t now_us);

/*
 * A look at the counter, when it is due: `used_us`, or -1 if it cannot be read any more. The rest of the time,
 * used on every CPU at once, is the time until the next look.
 * @returns whether the limit is reached
 */
bool cpu_time_is_reached(struct cpu_time *cpu_time, int64_t used_us, int64_t now_us);

#endif
