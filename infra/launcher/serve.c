#include "serve.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "child.h"
#include "descriptors.h"
#include "isolation.h"
#include "job.h"
#include "memory.h"
#include "sample.h"
#include "view.h"
#include "zygote.h"

enum { EXIT_FAILED = 70 };

static struct room *room;
static struct snapshot_use use;

static void prepare(void) {
    const char ready = ZYGOTE_READY;
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) _exit(EXIT_FAILED);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) _exit(EXIT_FAILED);
    room = room_map(ZYGOTE_ROOM_FD);
    if (room == NULL) _exit(EXIT_FAILED);
    close(ZYGOTE_ROOM_FD);
    if (chdir("/") != 0) _exit(EXIT_FAILED);
    view_open();
    descriptors_note(ZYGOTE_SOCKET_FD);
    if (send(ZYGOTE_SOCKET_FD, &ready, sizeof ready, MSG_NOSIGNAL) != sizeof ready)
        _exit(EXIT_FAILED);
}

static void take_order(struct zygote_order *order, int *fds) {
    union {
        char bytes[CMSG_SPACE(ZYGOTE_FDS * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec part = {order, sizeof *order};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t size;
    do size = recvmsg(ZYGOTE_SOCKET_FD, &message, MSG_CMSG_CLOEXEC);
    while (size < 0 && errno == EINTR);
    if (size == 0) _exit(EXIT_SUCCESS);
    const struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    if (size != sizeof *order || rights == NULL) _exit(EXIT_FAILED);
    size_t count = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    bool has_base = order->base.fd >= 0;
    if (count != (size_t)(ZYGOTE_FILES + order->has_files + has_base)) _exit(EXIT_FAILED);
    memcpy(fds, CMSG_DATA(rights), count * sizeof(int));
    fds[ZYGOTE_BASE] = has_base ? fds[count - 1] : -1;
    if (!order->has_files) fds[ZYGOTE_FILES] = -1;
    order->base.fd = fds[ZYGOTE_BASE];
}

static bool read_payload(int fd, unsigned char *payload, size_t size) {
    size_t done = 0;
    while (done < size) {
        ssize_t count = pread(fd, payload + done, size - done, (off_t)done);
        if (count <= 0) return false;
        done += (size_t)count;
    }
    return true;
}

static char **copies_of(char *const *texts) {
    size_t count = 0;
    while (texts[count] != NULL) count++;
    char **copies = calloc(count + 1, sizeof *copies);
    for (size_t i = 0; i < count && copies != NULL; i++)
        if ((copies[i] = strdup(texts[i])) == NULL) copies = NULL;
    /* As an exec that finds no memory. */
    if (copies == NULL) kill(getpid(), SIGKILL);
    return copies;
}

static struct program copy_of(char *const *argv, char *const *env) {
    struct program program = {copies_of(argv), copies_of(env)};
    environ = program.env;
    return program;
}

/* Returns in the program; the init stays in child_preloaded. */
static struct program become_program(const struct zygote_order *order, const int *fds,
                                     struct child_given given) {
    static struct job job;
    unsigned char *payload = memory_alloc(order->payload_size, MEMORY_INHERITED);
    if (payload == NULL || !read_payload(fds[ZYGOTE_PAYLOAD], payload, order->payload_size) ||
        job_decode(&job, payload, order->payload_size) != NULL)
        _exit(EXIT_FAILED);
    child_preloaded(&job, payload, order->payload_size, &given);
    struct program program = copy_of(job.argv, job.env);
    memory_free(payload, order->payload_size);
    return program;
}

_Noreturn void serve_exit(int code) {
    if (sample_is_running()) sample_report();
    exit(code);
}

struct program serve_jobs(char *const *sample) {
    snapshot_take();
    if (sample_run(&use)) return copy_of(sample, environ);
    prepare();
    for (;;) {
        struct zygote_order order;
        int fds[ZYGOTE_FDS];
        take_order(&order, fds);
        struct child_given given = {.uid = getuid(),
                                    .gid = getgid(),
                                    .in = fds[ZYGOTE_IN],
                                    .out = fds[ZYGOTE_OUT],
                                    .err = fds[ZYGOTE_ERR],
                                    .setup = fds[ZYGOTE_SETUP],
                                    .result = fds[ZYGOTE_RESULT],
                                    .files = fds[ZYGOTE_FILES],
                                    .base = order.base,
                                    .room = room,
                                    .use = &use};
        int32_t pid = isolation_clone_sibling();
        if (pid == 0) return become_program(&order, fds, given);
        if (pid < 0) pid = -errno;
        for (int i = 0; i < ZYGOTE_FDS; i++)
            if (fds[i] >= 0) close(fds[i]);
        if (send(ZYGOTE_SOCKET_FD, &pid, sizeof pid, MSG_NOSIGNAL) != sizeof pid) _exit(EXIT_FAILED);
    }
}
