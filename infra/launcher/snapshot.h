/*
 * The memory of a preloaded interpreter as a file that its forks share.
 *
 * A fork that writes to a page which it shares with its parent takes a fault, in which the kernel copies the page and
 * flushes it from the CPU's translation cache. Each program of an interpreter writes to the same few hundred pages.
 * Here the pages are those of a file, of which each process has a private mapping: a fork inherits no page tables of
 * what the interpreter has not written since, and has the pages that it will write copied all at once, without faults
 * and flushes. Python 3.13: 260 faults for print(1) became 60 (ADR 48).
 *
 * Memory that was moved is no longer anonymous: MADV_FREE is refused, and MADV_DONTNEED brings its first content back
 * instead of zeros. An interpreter that relies on zeros must not discard it (threads.c of Node's image).
 */
#ifndef LAUNCHER_SNAPSHOT_H
#define LAUNCHER_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

enum { SNAPSHOT_RANGES_MAX = 1024 };

/* In order of address. */
struct snapshot_ranges {
    size_t count;
    struct snapshot_range {
        uintptr_t begin, end;
    } each[SNAPSHOT_RANGES_MAX];
};

/* Pages that a program uses. */
struct snapshot_use {
    struct snapshot_ranges written, all;
};

/*
 * Moves the writable memory of this process, except its stack, into the file. Other threads must sleep. Without effect
 * if the kernel lacks what it needs.
 */
void snapshot_take(void);

/* What this process, a fork, has used since. */
void snapshot_see_use(struct snapshot_use *use);

/* Gives a fork the pages that it will use. */
void snapshot_prepare(const struct snapshot_use *use);

#endif
