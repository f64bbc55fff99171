#include "descriptors.h"

#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

static bool noted[DESCRIPTORS_NOTED_MAX];

static void close_each(int first, int last) {
    /* close_range does not exist before Linux 5.9. */
    if (first > last || close_range((unsigned)first, (unsigned)last, 0) == 0) return;
    for (int fd = first; fd <= last; fd++) close(fd);
}

/* One call per gap, not per descriptor: system calls dominate the cost of a job's start. */
void descriptors_close_all_but(int first, const int *kept, int count) {
    bool keep[DESCRIPTORS_MAX] = {false};
    for (int i = 0; i < count; i++)
        if (kept[i] >= 0) keep[kept[i]] = true;
    for (int fd = first; fd < DESCRIPTORS_MAX; fd++) {
        if (!keep[fd]) continue;
        close_each(first, fd - 1);
        first = fd + 1;
    }
    close_each(first, DESCRIPTORS_MAX - 1);
}

void descriptors_note(int except) {
    for (int fd = 0; fd < DESCRIPTORS_NOTED_MAX; fd++)
        noted[fd] = fd != except && fcntl(fd, F_GETFD) >= 0;
}

void descriptors_close_unnoted(void) {
    int first = STDERR_FILENO + 1;
    for (int fd = first; fd < DESCRIPTORS_NOTED_MAX; fd++) {
        if (!noted[fd]) continue;
        close_each(first, fd - 1);
        first = fd + 1;
    }
    close_each(first, DESCRIPTORS_NOTED_MAX - 1);
}
