#include "clock.h"

#include <time.h>

enum { US_PER_S = 1000000, NS_PER_US = 1000, COST_SHARE = 50, PAUSE_US_MAX = 1000000 };

static int64_t us_of(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / NS_PER_US;
}

int64_t now_us(void) {
    return us_of(CLOCK_MONOTONIC);
}

int64_t cpu_now_us(void) {
    return us_of(CLOCK_THREAD_CPUTIME_ID);
}

int64_t pause_after_us(int64_t before_us, int64_t every_us) {
    int64_t pause = (cpu_now_us() - before_us) * COST_SHARE;
    if (pause < every_us) pause = every_us;
    return pause < PAUSE_US_MAX ? pause : PAUSE_US_MAX;
}
