#include "locks.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

enum {
    LOOK_EVERY_US = 10000,
    /* About 70 lines: each read of seq_file(9) returns as many whole lines as fit. */
    TEXT_BYTES_MAX = 4096
};

static const char NOBODYS[] = "OFDLCK";

void locks_open(struct locks *locks) {
    /* Outside a cell (in tests) /proc/locks also shows locks of other processes. */
    locks->fd = getpid() == 1 ? open("/proc/locks", O_RDONLY | O_CLOEXEC) : -1;
    locks->next_us = INT64_MAX;
}

void locks_begin(struct locks *locks, int64_t now) {
    if (locks->fd >= 0) locks->next_us = now + LOOK_EVERY_US;
}

int64_t locks_due_us(const struct locks *locks) {
    return locks->next_us;
}

int locks_in(const char *text) {
    int count = 0;
    for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1) {
        if (memmem(text, (size_t)(end - text), NOBODYS, sizeof NOBODYS - 1) == NULL) count++;
    }
    return count;
}

/*
 * The file is opened only once: an open charges kernel memory to the cell, and if the cell has none left, the
 * kernel may kill a process for it.
 */
static bool are_too_many(int fd) {
    static char text[TEXT_BYTES_MAX + 1];
    int count = 0;
    ssize_t size;
    if (lseek(fd, 0, SEEK_SET) != 0) return false;
    while (count <= LOCKS_MAX && (size = read(fd, text, TEXT_BYTES_MAX)) > 0) {
        text[size] = 0;
        count += locks_in(text);
    }
    return count > LOCKS_MAX;
}

bool locks_watch(struct locks *locks, int64_t now) {
    if (now < locks->next_us) return false;
    int64_t before = cpu_now_us();
    bool too_many = are_too_many(locks->fd);
    locks->next_us = now + pause_after_us(before, LOOK_EVERY_US);
    return too_many;
}
