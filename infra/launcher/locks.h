/*
 * Locks of files. The kernel counts their memory, 192 bytes each, as nobody's, and has no limit for them: a
 * job of 128 MiB took 230 MiB of the host with 1.2 million. So they are counted while it runs.
 */
#ifndef LAUNCHER_LOCKS_H
#define LAUNCHER_LOCKS_H

#include <stdbool.h>
#include <stdint.h>

/* Of all processes of a job together: SQLite takes four of a database, a build of Go one of a file. */
enum { LOCKS_MAX = 4096 };

struct locks {
    int fd; /* of /proc/locks, as the cell's own namespace shows it: its own locks; -1: not watched */
    int64_t next_us;
};

void locks_open(struct locks *locks);

void locks_begin(struct locks *locks, int64_t now);

/* Looks where it is time to, every 10 ms as far as that is cheap. @returns whether there are too many */
bool locks_watch(struct locks *locks, int64_t now);

/* When the next look is; INT64_MAX: never. */
int64_t locks_due_us(const struct locks *locks);

/*
 * How many the text shows, as proc_locks(5) has them: whole lines, without those of open file descriptions,
 * which are shown in every namespace. Of a process that has ended nothing is shown: its POSIX locks ended with
 * it (filter.c keeps it from sharing its table of files), and of flock(2) an open file has at most one, so
 * that the limit of files is one of these.
 */
int locks_in(const char *text);

#endif
