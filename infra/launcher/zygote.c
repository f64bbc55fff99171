#include "zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "descriptors.h"
#include "files.h"
#include "isolation.h"
#include "reap.h"
#include "signals.h"

enum {
    READY_MS_MAX = 10000,
    /* A clone takes less than a millisecond. A zygote that was stopped from outside never answers. */
    CLONE_MS_MAX = 5000,
    EXIT_NOT_STARTED = 127
};

/* Standard output is a pipe, as a program's is: interpreters decide by its kind how to buffer. */
static bool take_streams(void) {
    int ends[2];
    return pipe(ends) == 0 && dup2(ends[0], STDIN_FILENO) >= 0 &&
           dup2(ends[1], STDOUT_FILENO) >= 0;
}

static bool take_descriptors(int socket, int room_fd) {
    /* Out of the way of the numbers that they get. */
    int socket_high = fcntl(socket, F_DUPFD, DESCRIPTORS_MAX);
    int room_high = fcntl(room_fd, F_DUPFD, DESCRIPTORS_MAX);
    if (socket_high < 0 || room_high < 0 || !take_streams()) return false;
    if (dup2(socket_high, ZYGOTE_SOCKET_FD) < 0 || dup2(room_high, ZYGOTE_ROOM_FD) < 0)
        return false;
    for (int fd = ZYGOTE_ROOM_FD + 1; fd <= room_high; fd++) close(fd);
    return true;
}

static _Noreturn void become_zygote(char **argv, int socket, int room_fd) {
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    signals_reset();
    if (take_descriptors(socket, room_fd)) execv(argv[0], argv + 1);
    _exit(EXIT_NOT_STARTED);
}

/* @returns whether exactly these many bytes arrived in time */
static bool receive(int socket, void *bytes, size_t size, int ms_max) {
    struct pollfd fd = {.fd = socket, .events = POLLIN};
    int ready;
    do ready = poll(&fd, 1, ms_max);
    while (ready < 0 && errno == EINTR);
    return ready == 1 && recv(socket, bytes, size, MSG_DONTWAIT | MSG_TRUNC) == (ssize_t)size;
}

/* Nobody else is running: a job's init that the zygote may just have cloned has an unknown pid. */
static void end_zygote(struct zygote *zygote) {
    zygote_withdraw(zygote);
    close(zygote->socket);
    end_everyone();
    zygote->pid = 0;
    zygote->state = "failed";
}

void zygote_open(struct zygote *zygote, char **argv, int room_fd) {
    *zygote = (struct zygote){.argv = argv, .room_fd = room_fd, .state = "none", .payload_fd = -1};
}

static void start(struct zygote *zygote, char **argv, int room_fd) {
    int ends[2];
    char ready;
    zygote->state = "failed";
    if (argv[1] == NULL || room_fd < 0) return;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return;
    zygote->socket = ends[0];
    zygote->pid = isolation_clone(false);
    if (zygote->pid == 0) become_zygote(argv, ends[1], room_fd);
    close(ends[1]);
    if (zygote->pid > 0 && receive(zygote->socket, &ready, sizeof ready, READY_MS_MAX))
        zygote->state = "ready";
    else end_zygote(zygote);
}

void zygote_start(struct zygote *zygote) {
    if (zygote->argv == NULL) return;
    if (zygote->argv[0] != NULL) start(zygote, zygote->argv, zygote->room_fd);
    if (zygote->room_fd >= 0) close(zygote->room_fd);
    zygote->argv = NULL;
    zygote->room_fd = -1;
}

void zygote_offer(struct zygote *zygote, const unsigned char *payload, size_t size) {
    if (zygote->pid == 0 || size > ZYGOTE_JOB_BYTES_MAX) return;
    int fd = memfd_create("job", MFD_CLOEXEC);
    if (fd < 0) return;
    if (write_all(fd, payload, size)) zygote->payload_fd = fd;
    else close(fd);
}

void zygote_withdraw(struct zygote *zygote) {
    if (zygote->payload_fd >= 0) close(zygote->payload_fd);
    zygote->payload_fd = -1;
}

static bool send_order(const struct zygote *zygote, const struct child_given *given) {
    struct zygote_order order = {.payload_size = (uint32_t)lseek(zygote->payload_fd, 0, SEEK_END),
                                 .has_files = given->files >= 0,
                                 .base = given->base};
    int fds[ZYGOTE_FDS] = {given->in, given->out, given->err, given->setup, given->result, zygote->payload_fd};
    int count = ZYGOTE_FILES;
    if (given->files >= 0) fds[count++] = given->files;
    if (given->base.fd >= 0) fds[count++] = given->base.fd;
    size_t fds_size = (size_t)count * sizeof fds[0];
    union {
        char bytes[CMSG_SPACE(sizeof fds)];
        struct cmsghdr align;
    } control = {0};
    struct iovec part = {&order, sizeof order};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = CMSG_SPACE(fds_size)};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(fds_size);
    memcpy(CMSG_DATA(rights), fds, fds_size);
    return sendmsg(zygote->socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof order;
}

pid_t zygote_clone(struct zygote *zygote, const struct child_given *given) {
    int32_t pid = 0;
    if (send_order(zygote, given)) receive(zygote->socket, &pid, sizeof pid, CLONE_MS_MAX);
    zygote_withdraw(zygote);
    if (pid != 0) return pid;
    end_zygote(zygote);
    return 0;
}
