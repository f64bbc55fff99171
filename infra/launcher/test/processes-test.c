/* A look at processes opens nothing that it knows, and nothing while the cell has no memory left. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "processes.h"

static const pid_t NOBODY[2];
static struct cgroup cgroup = {.version = "v2"};
static struct processes processes = {.cgroup = &cgroup};

/* A file of a made-up /proc or cgroup. */
static void put(int fd, const char *text) {
    CHECK(ftruncate(fd, 0) == 0);
    CHECK(pwrite(fd, text, strlen(text), 0) == (ssize_t)strlen(text));
}

static void put_status(pid_t pid, int kib) {
    char path[32], text[64];
    snprintf(path, sizeof path, "%d", (int)pid);
    mkdirat(processes.proc_fd, path, 0700);
    snprintf(path, sizeof path, "%d/status", (int)pid);
    int fd = openat(processes.proc_fd, path, O_WRONLY | O_CREAT, 0600);
    snprintf(text, sizeof text, kib > 0 ? "Name:\tx\nVmRSS:\t%d kB\n" : "Name:\tx\nState:\tZ\n", kib);
    put(fd, kib < 0 ? "" : text);
    close(fd);
}

static void remove_process(pid_t pid) {
    char path[32];
    put_status(pid, -1);
    snprintf(path, sizeof path, "%d/status", (int)pid);
    CHECK(unlinkat(processes.proc_fd, path, 0) == 0);
    snprintf(path, sizeof path, "%d", (int)pid);
    CHECK(unlinkat(processes.proc_fd, path, AT_REMOVEDIR) == 0);
}

static void put_memory(const char *limit, const char *used, const char *stat) {
    put(cgroup.memory_limit, limit);
    put(cgroup.memory_used, used);
    put(cgroup.memory_stat, stat);
}

/* @returns the sum in KiB of all that are seen */
static int64_t look(void) {
    static struct process_memory memory[PROCESSES_MAX];
    int64_t sum = 0;
    for (int i = processes_read(&processes, memory); i-- > 0;) sum += memory[i].anon / 1024;
    return sum;
}

static void sees_new_ones_and_forgets_those_that_are_gone(void) {
    const pid_t except[] = {7, 8};
    put_memory("1073741824\n", "1048576\n", "anon 0\nfile 0\nshmem 0\n");
    put_status(7, 1), put_status(8, 2), put_status(getpid(), 4), put_status(20, 16), put_status(21, 0);
    CHECK(processes_find(&processes, except) && processes.count == 2 && look() == 16);
    put_status(20, 32), put_status(22, 64);
    CHECK(look() == 32);
    CHECK(processes_find(&processes, except) && look() == 96);
    remove_process(20);
    CHECK(look() == 64 && processes.count == 2);
    put_status(20, 128);
    CHECK(processes_find(&processes, except) && look() == 192);
    processes_close(&processes);
    CHECK(processes.count == 0);
}

static void opens_nothing_at_the_limit(void) {
    put_memory("67108864\n", "4096\n", "anon 0\nfile 0\nshmem 0\n");
    CHECK(processes_find(&processes, NOBODY));
    int64_t before = look();
    put_status(30, 256);
    put_memory("67108864\n", "67000000\n", "anon 60000000\nfile 5000000\nshmem 5000000\n");
    CHECK(!processes_find(&processes, NOBODY) && look() == before);
    /* What the kernel can drop is left; so is everything where there is no limit, or no cgroup. */
    put_memory("67108864\n", "67000000\n", "anon 60000000\nfile 6000000\nshmem 5000000\n");
    CHECK(processes_find(&processes, NOBODY) && look() == before + 256);
    put_status(31, 512);
    put_memory("max\n", "67000000\n", "anon 0\nfile 0\nshmem 0\n");
    CHECK(processes_find(&processes, NOBODY) && look() == before + 768);
    CHECK(cgroup_bytes_left(&(struct cgroup){"none", -1, -1, -1, -1, -1, -1}, INT64_MAX) == INT64_MAX);
}

static void is_bounded(void) {
    for (int i = 0; i < PROCESSES_MAX; i++) put_status(1000 + i, 1);
    CHECK(!processes_find(&processes, NOBODY) && processes.count == PROCESSES_MAX);
    look();
    processes_close(&processes);
    for (int i = 0; i < PROCESSES_MAX; i++) remove_process(1000 + i);
    CHECK(processes_find(&processes, NOBODY));
}

/* What could not be opened is missing. */
static void says_that_some_are_missing(void) {
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    for (int i = 0; i < 8; i++) put_status(1000 + i, 1);
    const struct rlimit few = {.rlim_cur = (rlim_t)dup(0) + 4, .rlim_max = limit.rlim_max};
    CHECK(close((int)few.rlim_cur - 4) == 0 && setrlimit(RLIMIT_NOFILE, &few) == 0);
    CHECK(!processes_find(&processes, NOBODY) && processes.count <= 4);
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK(processes_find(&processes, NOBODY) && processes.count >= 8);
    for (int i = 0; i < 8; i++) remove_process(1000 + i);
    processes_close(&processes);
}

int main(void) {
    char folder[] = "/tmp/processes-test-XXXXXX";
    CHECK(mkdtemp(folder) != NULL);
    processes.proc_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cgroup.memory_limit = memfd_create("limit", MFD_CLOEXEC);
    cgroup.memory_used = memfd_create("used", MFD_CLOEXEC);
    cgroup.memory_stat = memfd_create("stat", MFD_CLOEXEC);
    sees_new_ones_and_forgets_those_that_are_gone();
    opens_nothing_at_the_limit();
    is_bounded();
    processes_close(&processes);
    says_that_some_are_missing();
    processes_close(&processes);
    const pid_t left[] = {7, 8, 20, 21, 22, 30, 31, getpid()};
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) remove_process(left[i]);
    CHECK(rmdir(folder) == 0);
    return checks_done("processes-test");
}
