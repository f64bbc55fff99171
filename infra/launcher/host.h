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
    bool ended;            /* it closed our input, or reads our output no more */
};

void host_open(struct host *host);

/* Reads once, which blocks unless poll said there is something. True: a frame is complete. */
bool host_read(struct host *host);

/* How many bytes of a program's output fit the queue now; 0 stops the reading of its pipes. */
size_t host_output_room(const struct host *host);

/* There is room for a frame that is not output. */
bool host_has_room(const struct host *host);

/* Queues a frame about a job. The caller has asked for room; without it the launcher ends. */
void host_send(struct host *host, enum frame_type type, uint32_t number, const void *bytes,
               size_t size);

void host_send_text(struct host *host, enum frame_type type, uint32_t number, const char *text);

void host_send_hello(struct host *host, const char *text);

/* Writes what standard output takes now. */
void host_flush(struct host *host);

bool host_is_flushed(const struct host *host);

/* One line on standard error, then the end of the launcher and so of its cell. */
_Noreturn void fatal(const char *why);

#endif
