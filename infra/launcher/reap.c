#include "reap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILDREN_BYTES_MAX = 4096 };

/*
 * Outside a container (in tests) kill(-1) would hit every process of the user. The launcher is a
 * subreaper there, so the orphans of its children become its own children.
 */
static void kill_children(void) {
    char path[64], text[CHILDREN_BYTES_MAX];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    if (size <= 0) return;
    text[size] = 0;
    char *next = text;
    for (;;) {
        char *end;
        long pid = strtol(next, &end, 10);
        if (end == next) return;
        /* A number cut off at the end of the buffer may be the PID of another process. */
        if (*end == ' ' && pid > 1) kill((pid_t)pid, SIGKILL);
        next = end;
    }
}

void kill_everyone(void) {
    if (getpid() == 1) kill(-1, SIGKILL);
    else kill_children();
}

void end_everyone(void) {
    do kill_everyone();
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR);
}
