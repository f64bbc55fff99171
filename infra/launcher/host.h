/* The connection to the host: frames from standard input, a bounded queue to standard output. */
#ifndef LAUNCHER_HOST_H
#define LAUNCHER_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frames.h"

struct host {
    struct frame_reader reader;
    unsigned char *queue;
    size_t queue_begin;
    size_t queue_end;
    size_t queue_used_max; /* since it was last wiped */
    uint64_t queued;       /* bytes, since the launcher's start */
    uint64_t sent;         /* those of them that the host's pipe has taken */
    bool ended;            /* it closed our input, or no longer reads our output */
};

void host_open(struct host *host);

/* Reads once; blocks unless poll reported input. */
enum frame_state host_read(struct host *host);

/* How many bytes of a program's output fit into the queue now; at 0 its pipes are not read. */
size_t host_output_room(const struct host *host);

/* Whether there is room for a control frame. */
bool host_has_room(const struct host *host);

/* Queues a frame about a job. The caller must check for room first; without room the launcher exits. */
void host_send(struct host *host, enum frame_type type, uint32_t number, const void *bytes,
               size_t size);

void host_send_text(struct host *host, enum frame_type type, uint32_t number, const char *text);

void host_send_plain(struct host *host, enum frame_type type, const char *text);

/*
 * For frames of which one at most may be in the queue: the mark of what was queued up to now, and whether all of that
 * has left the queue.
 */
uint64_t host_mark(const struct host *host);
bool host_has_sent(const struct host *host, uint64_t mark);

/* Writes as much as standard output accepts now. */
void host_flush(struct host *host);

bool host_is_flushed(const struct host *host);

/* Writes one line to standard error and ends the launcher, and with it the cell. */
_Noreturn void fatal(const char *why);

#endif
