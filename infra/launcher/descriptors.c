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
void descriptors_close_all_but(int first, int keep, int keep_too) {
    int low = keep < keep_too ? keep : keep_too, high = keep < keep_too ? keep_too : keep;
    close_each(first, low - 1);
    close_each(low < first ? first : low + 1, high - 1);
    close_each(high + 1, DESCRIPTORS_MAX - 1);
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
