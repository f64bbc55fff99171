#define _GNU_SOURCE
#include "renew-descriptors.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST = STDERR_FILENO + 1, FDS_MAX = 256, EXIT_FAILED = 70 };

/* HARMLESS: without state (/dev/null), or closed in every fork (serve.c: the socket and the room). */
enum kind { NONE, HARMLESS, EVENTFD, EPOLL, PIPE };

static struct {
    enum kind kind;
    ino_t inode; /* of a pipe */
    bool writes;
} noted[FDS_MAX];

static _Noreturn void fail(int fd, const char *what) {
    fprintf(stderr, "preload: descriptor %d: %s\n", fd, what);
    _exit(EXIT_FAILED);
}

static ino_t inode_of(int fd) {
    struct stat found;
    return fstat(fd, &found) == 0 ? found.st_ino : 0;
}

static enum kind kind_of(int fd) {
    char path[64], target[64] = "";
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (readlink(path, target, sizeof target - 1) < 0) return NONE;
    if (strcmp(target, "anon_inode:[eventfd]") == 0) return EVENTFD;
    if (strcmp(target, "anon_inode:[eventpoll]") == 0) return EPOLL;
    if (strncmp(target, "pipe:", strlen("pipe:")) == 0) return PIPE;
    if (strcmp(target, "/dev/null") == 0 || fd <= FIRST + 1) return HARMLESS;
    fail(fd, target);
}

void descriptors_note_shared(void) {
    for (int fd = FIRST; fd < FDS_MAX; fd++) {
        noted[fd].kind = kind_of(fd);
        if (noted[fd].kind != PIPE) continue;
        noted[fd].inode = inode_of(fd);
        noted[fd].writes = (fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY;
    }
}

static void put(int fresh, int fd) {
    if (fresh < 0 || dup3(fresh, fd, O_CLOEXEC) < 0) fail(fd, "not renewed");
}

static void renew(int fresh, int fd) {
    put(fresh, fd);
    close(fresh);
}

static bool is_shared_pipe(int fd) {
    return noted[fd].kind == PIPE && inode_of(fd) == noted[fd].inode;
}

/* All ends of one pipe. libuv's handlers of a fork have renewed some of them already. */
static void renew_pipe(int first) {
    int ends[2];
    ino_t inode = noted[first].inode;
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) fail(first, "no pipe");
    for (int fd = first; fd < FDS_MAX; fd++)
        if (is_shared_pipe(fd) && noted[fd].inode == inode) put(ends[noted[fd].writes], fd);
    close(ends[0]);
    close(ends[1]);
}

void descriptors_renew(void) {
    for (int fd = FIRST; fd < FDS_MAX; fd++) {
        if (noted[fd].kind == EVENTFD) renew(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), fd);
        else if (noted[fd].kind == EPOLL) renew(epoll_create1(EPOLL_CLOEXEC), fd);
        else if (is_shared_pipe(fd)) renew_pipe(fd);
    }
    for (int fd = FIRST; fd < FDS_MAX; fd++)
        if (is_shared_pipe(fd)) fail(fd, "still shared");
}
