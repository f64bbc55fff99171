#include "cpu-time.h"

enum { US_PER_MS = 1000, MILLI = 1000, LOOK_US_MIN = 1000 };

void cpu_time_begin(struct cpu_time *cpu_time, uint32_t ms_max, uint32_t cpus_milli) {
    *cpu_time = (struct cpu_time){.us_max = (int64_t)ms_max * US_PER_MS,
                                  .cpus = (cpus_milli + MILLI - 1) / MILLI,
                                  .due_us = INT64_MAX};
}

static void look_after(struct cpu_time *cpu_time, int64_t left_us, int64_t now_us) {
    int64_t wait_us = left_us / cpu_time->cpus;
    cpu_time->due_us = now_us + (wait_us > LOOK_US_MIN ? wait_us : LOOK_US_MIN);
}

void cpu_time_start(struct cpu_time *cpu_time, int64_t used_us, int64_t now_us) {
    if (cpu_time->us_max == 0 || used_us < 0) return;
    cpu_time->end_us = used_us + cpu_time->us_max;
    look_after(cpu_time, cpu_time->us_max, now_us);
}

bool cpu_time_is_reached(struct cpu_time *cpu_time, int64_t used_us, int64_t now_us) {
    bool is_reached = used_us >= cpu_time->end_us;
    /* A counter that cannot be read any more: the limit of the wall clock remains. */
    if (used_us < 0 || is_reached) cpu_time->due_us = INT64_MAX;
    else look_after(cpu_time, cpu_time->end_us - used_us, now_us);
    return is_reached;
}
