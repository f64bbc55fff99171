/*
 * File locks. The kernel charges their memory, 192 bytes each, to no cgroup, and does not limit their number: a
 * job of 128 MiB took 230 MiB of the host with 1.2 million locks. So the launcher counts them while a job runs.
 */
#ifndef LAUNCHER_LOCKS_H
#define LAUNCHER_LOCKS_H

#include <stdbool.h>
#include <stdint.h>

/* For all processes of a job together. SQLite takes four locks per database, a Go build one per file. */
enum { LOCKS_MAX = 4096 };

struct locks {
    int fd; /* /proc/locks, which shows the locks of the cell's own namespace; -1: not watched */
    int64_t next_us;
};

void locks_open(struct locks *locks);

void locks_begin(struct locks *locks, int64_t now);

/* Counts the locks when due: every 10 ms, or less often if that is expensive. @returns whether there are too many */
bool locks_watch(struct locks *locks, int64_t now);

/* When the next check is due; INT64_MAX: never. */
int64_t locks_due_us(const struct locks *locks);

/*
 * Number of locks in a text of proc_locks(5): whole lines, except locks of open file descriptions, which every
 * namespace shows. Locks of an ended process are not shown. Its POSIX locks ended with it (filter.c prevents it
 * from sharing its file table). An open file has at most one flock(2) lock, so the limit of open files bounds those.
 */
int locks_in(const char *text);

#endif
