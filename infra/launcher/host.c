#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"

enum {
    QUEUE_BYTES = 256 * 1024,
    /* Reserved for control frames: a trailer, a refusal or a start always has room. */
    CONTROL_BYTES = 4096,
    CONTROL_FRAME_BYTES_MAX = 1024,
    OVERHEAD_BYTES = FRAME_HEADER_BYTES + FRAME_NUMBER_BYTES,
    EXIT_PROTOCOL = 64
};

void fatal(const char *why) {
    dprintf(STDERR_FILENO, "launcher: %s\n", why);
    /* If this is PID 1, the kernel kills all remaining processes. */
    _exit(EXIT_PROTOCOL);
}

void host_open(struct host *host) {
    memset(host, 0, sizeof *host);
    host->queue = memory_alloc(QUEUE_BYTES, MEMORY_OWN);
    if (host->queue == NULL) fatal("no memory for the queue");
    int flags = fcntl(STDOUT_FILENO, F_GETFL);
    if (flags < 0 || fcntl(STDOUT_FILENO, F_SETFL, flags | O_NONBLOCK) != 0)
        fatal("standard output cannot be made non-blocking");
}

enum frame_state host_read(struct host *host) {
    size_t size;
    unsigned char *room = frame_room(&host->reader, &size);
    ssize_t count = read(STDIN_FILENO, room, size);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return FRAME_PARTIAL;
    if (count <= 0) {
        host->ended = true;
        return FRAME_PARTIAL;
    }
    enum frame_state state = frame_advance(&host->reader, (size_t)count);
    if (state == FRAME_NO_MEMORY) fatal("no memory for a frame");
    if (state == FRAME_MALFORMED) fatal("malformed frame");
    return state;
}

static size_t queue_free(const struct host *host) {
    return QUEUE_BYTES - (host->queue_end - host->queue_begin);
}

size_t host_output_room(const struct host *host) {
    size_t room = queue_free(host);
    size_t kept = CONTROL_BYTES + OVERHEAD_BYTES;
    if (room <= kept) return 0;
    size_t most = FRAME_OUT_BYTES_MAX - FRAME_NUMBER_BYTES;
    return room - kept < most ? room - kept : most;
}

bool host_has_room(const struct host *host) {
    return queue_free(host) >= CONTROL_FRAME_BYTES_MAX;
}

static void queue_put(struct host *host, const void *bytes, size_t size) {
    if (queue_free(host) < size) fatal("the host reads no answers");
    if (QUEUE_BYTES - host->queue_end < size) {
        memmove(host->queue, host->queue + host->queue_begin, host->queue_end - host->queue_begin);
        host->queue_end -= host->queue_begin;
        host->queue_begin = 0;
    }
    if (size > 0) memcpy(host->queue + host->queue_end, bytes, size);
    host->queue_end += size;
    host->queued += size;
    if (host->queue_end > host->queue_used_max) host->queue_used_max = host->queue_end;
}

void host_send(struct host *host, enum frame_type type, uint32_t number, const void *bytes,
               size_t size) {
    unsigned char header[OVERHEAD_BYTES];
    frame_header_write(header, type, FRAME_NUMBER_BYTES + size);
    u32_write(header + FRAME_HEADER_BYTES, number);
    queue_put(host, header, sizeof header);
    queue_put(host, bytes, size);
}

void host_send_text(struct host *host, enum frame_type type, uint32_t number, const char *text) {
    host_send(host, type, number, text, strlen(text));
}

void host_send_plain(struct host *host, enum frame_type type, const char *text) {
    unsigned char header[FRAME_HEADER_BYTES];
    frame_header_write(header, type, strlen(text));
    queue_put(host, header, sizeof header);
    queue_put(host, text, strlen(text));
}

uint64_t host_mark(const struct host *host) {
    return host->queued;
}

bool host_has_sent(const struct host *host, uint64_t mark) {
    return host->sent >= mark;
}

void host_flush(struct host *host) {
    while (!host_is_flushed(host)) {
        size_t size = host->queue_end - host->queue_begin;
        ssize_t count = write(STDOUT_FILENO, host->queue + host->queue_begin, size);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EAGAIN) return;
        if (count < 0) {
            /* The host will not read the rest. */
            host->ended = true;
            host->queue_begin = host->queue_end;
            host->sent = host->queued;
            break;
        }
        host->queue_begin += (size_t)count;
        host->sent += (size_t)count;
    }
    explicit_bzero(host->queue, host->queue_used_max);
    host->queue_begin = host->queue_end = host->queue_used_max = 0;
}

bool host_is_flushed(const struct host *host) {
    return host->queue_begin == host->queue_end;
}
