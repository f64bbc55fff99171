#define _GNU_SOURCE
#include "renew-clocks.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { WALL, ORIGIN, ENVIRONMENT, NODE_START, ORIGINS = 3, LINE_BYTES_MAX = 8192, NS_PER_US = 1000, NS_PER_S = 1000000000 };

static double *milestones;
static size_t milestone_count;
static uint64_t *origins[ORIGINS];
static int found;

/* As doubles: beyond 104 days of uptime they are no longer exact. */
static void search(uint64_t *begin, const uint64_t *end) {
    for (uint64_t *at = begin; at < end; at++) {
        if ((double)*at != milestones[ORIGIN] && (double)*at != milestones[NODE_START]) continue;
        if (found < ORIGINS) origins[found] = at;
        found++;
    }
}

/* The mappings are in order: those of node's data come before the heap, and V8's after it. */
void clocks_find(double *own, size_t count) {
    static char line[LINE_BYTES_MAX];
    FILE *maps = fopen("/proc/self/maps", "re");
    unsigned long begin, end;
    bool is_heap = false;
    milestones = own;
    milestone_count = count;
    while (maps != NULL && !is_heap && fgets(line, sizeof line, maps) != NULL) {
        is_heap = strstr(line, "[heap]") != NULL;
        if (strstr(line, " rw-p ") != NULL && sscanf(line, "%lx-%lx", &begin, &end) == 2)
            search((uint64_t *)begin, (const uint64_t *)end);
    }
    if (maps != NULL) fclose(maps);
}

static uint64_t now_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

void clocks_renew(void) {
    uint64_t now = now_ns(CLOCK_MONOTONIC);
    if (found != ORIGINS) return;
    for (int i = 0; i < ORIGINS; i++) *origins[i] = now;
    milestones[WALL] = (double)(now_ns(CLOCK_REALTIME) / NS_PER_US);
    for (size_t i = ORIGIN; i < milestone_count; i++)
        if (milestones[i] > 0) milestones[i] = (double)now;
}
