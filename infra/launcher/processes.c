#include "processes.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    BYTES_PER_KIB = 1024,
    STATUS_BYTES_MAX = 2048,
    /* About 150 processes, whose entries in the kernel's cache need 130 KiB: less than the memory kept free. */
    ENTRIES_BYTES_MAX = 4 * 1024,
    MEMORY_KEPT_FREE = 256 * BYTES_PER_KIB
};

static int open_status(int proc_fd, const char *pid) {
    char path[32];
    snprintf(path, sizeof path, "%.20s/status", pid);
    return openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
}

void processes_open(struct processes *processes, const struct cgroup *cgroup) {
    *processes = (struct processes){.cgroup = cgroup, .proc_fd = -1, .own_fd = -1};
    /* Outside a cell (in tests) most processes do not belong to a run. */
    if (getpid() != 1) return;
    processes->proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    processes->own_fd = open_status(processes->proc_fd, "self");
}

/* The value of a line like "RssAnon:      1234 kB"; -1 if there is none. */
static int64_t bytes_in(const char *text, const char *key) {
    const char *line = strstr(text, key);
    if (line == NULL || line[strlen(key)] != ':') return -1;
    return strtoll(line + strlen(key) + 1, NULL, 10) * BYTES_PER_KIB;
}

/* The process name comes first, with newlines escaped as two characters, so it cannot fake a line. */
bool process_memory_in(const char *text, struct process_memory *memory) {
    int64_t resident = bytes_in(text, "\nVmRSS");
    if (resident < 0) return false;
    memory->anon = bytes_in(text, "\nRssAnon");
    memory->file = bytes_in(text, "\nRssFile");
    memory->shmem = bytes_in(text, "\nRssShmem");
    memory->text = bytes_in(text, "\nVmExe");
    /* gVisor and old kernels do not report them separately. */
    if (memory->anon < 0 || memory->file < 0 || memory->shmem < 0)
        *memory = (struct process_memory){.anon = resident};
    return true;
}

/* @returns the size; 0 or less if the process is gone */
static ssize_t read_status(int fd, char text[STATUS_BYTES_MAX]) {
    ssize_t size = pread(fd, text, STATUS_BYTES_MAX - 1, 0);
    if (size > 0) text[size] = 0;
    return size;
}

static bool has_memory_left(const struct processes *processes) {
    return cgroup_bytes_left(processes->cgroup, MEMORY_KEPT_FREE) >= MEMORY_KEPT_FREE;
}

static bool is_known(const struct processes *processes, pid_t pid) {
    for (int i = 0; i < processes->count; i++)
        if (processes->all[i].pid == pid) return true;
    return false;
}

static bool add(struct processes *processes, const char *name, const pid_t except[2]) {
    pid_t pid = atoi(name);
    if (pid == except[0] || pid == except[1] || pid == getpid() || is_known(processes, pid)) return true;
    if (processes->count == PROCESSES_MAX || !has_memory_left(processes)) return false;
    int fd = open_status(processes->proc_fd, name);
    if (fd < 0) return errno == ENOENT || errno == ESRCH;
    /* The first read takes memory as well, so it belongs here. */
    char first;
    if (pread(fd, &first, 1, 0) == 1) processes->all[processes->count++] = (struct process){pid, fd};
    else close(fd);
    return true;
}

bool processes_find(struct processes *processes, const pid_t except[2]) {
    static char entries[ENTRIES_BYTES_MAX] __attribute__((aligned(8)));
    int proc_fd = processes->proc_fd;
    lseek(proc_fd, 0, SEEK_SET);
    for (;;) {
        if (!has_memory_left(processes)) return false;
        ssize_t size = getdents64(proc_fd, entries, sizeof entries);
        if (size <= 0) return size == 0;
        for (ssize_t at = 0; at < size;) {
            const struct dirent64 *entry = (const struct dirent64 *)(entries + at);
            at += entry->d_reclen;
            if (!isdigit((unsigned char)entry->d_name[0])) continue;
            if (!add(processes, entry->d_name, except)) return false;
        }
    }
}

int processes_read(struct processes *processes, struct process_memory memory[PROCESSES_MAX]) {
    char text[STATUS_BYTES_MAX];
    int kept = 0, count = 0;
    for (int i = 0; i < processes->count; i++) {
        struct process process = processes->all[i];
        if (read_status(process.status_fd, text) <= 0) {
            close(process.status_fd);
            continue;
        }
        processes->all[kept++] = process;
        if (process_memory_in(text, &memory[count])) count++;
    }
    processes->count = kept;
    return count;
}

bool processes_read_pid(const struct processes *processes, pid_t pid, struct process_memory *memory) {
    char name[16], text[STATUS_BYTES_MAX];
    snprintf(name, sizeof name, "%d", (int)pid);
    int fd = open_status(processes->proc_fd, name);
    if (fd < 0) return false;
    bool known = read_status(fd, text) > 0 && process_memory_in(text, memory);
    close(fd);
    return known;
}

bool processes_read_own(const struct processes *processes, struct process_memory *memory) {
    char text[STATUS_BYTES_MAX];
    return read_status(processes->own_fd, text) > 0 && process_memory_in(text, memory);
}

void processes_close(struct processes *processes) {
    for (int i = 0; i < processes->count; i++) close(processes->all[i].status_fd);
    processes->count = 0;
}
