#include "locks.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    LOOK_EVERY_US = 10000,
    PAUSE_US_MAX = 1000000,
    COST_SHARE = 50,
    US_PER_S = 1000000,
    NS_PER_US = 1000,
    /* Some 70 lines: seq_file(9) gives as many whole ones at a time as have room. */
    TEXT_BYTES_MAX = 4096
};

void locks_open(struct locks *locks) {
    /* Elsewhere (in tests) the locks are not only those of a run. */
    locks->proc_fd = getpid() == 1 ? open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    locks->next_us = INT64_MAX;
}

void locks_begin(struct locks *locks, int64_t now_us) {
    if (locks->proc_fd >= 0) locks->next_us = now_us + LOOK_EVERY_US;
}

int64_t locks_due_us(const struct locks *locks) {
    return locks->next_us;
}

int locks_in(const char *text) {
    int count = 0;
    for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1) {
        const char *nobodys = strstr(text, "OFDLCK");
        if (nobodys == NULL || nobodys > end) count++;
    }
    return count;
}

static bool are_too_many(int proc_fd) {
    static char text[TEXT_BYTES_MAX + 1];
    int count = 0;
    ssize_t size;
    int fd = openat(proc_fd, "locks", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    while (count <= LOCKS_MAX && (size = read(fd, text, TEXT_BYTES_MAX)) > 0) {
        text[size] = 0;
        count += locks_in(text);
    }
    close(fd);
    return count > LOCKS_MAX;
}

static int64_t cpu_now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / NS_PER_US;
}

bool locks_watch(struct locks *locks, int64_t now_us) {
    if (now_us < locks->next_us) return false;
    int64_t before = cpu_now_us();
    bool too_many = are_too_many(locks->proc_fd);
    int64_t pause = (cpu_now_us() - before) * COST_SHARE;
    if (pause < LOOK_EVERY_US) pause = LOOK_EVERY_US;
    locks->next_us = now_us + (pause > PAUSE_US_MAX ? PAUSE_US_MAX : pause);
    return too_many;
}
