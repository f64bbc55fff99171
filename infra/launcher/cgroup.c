#include "cgroup.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* memory.stat is longer, but the values needed are in its first lines. */
enum { FILE_BYTES_MAX = 2048, NS_PER_US = 1000 };

#define CGROUP_ROOT "/sys/fs/cgroup/"

static int open_file(const char *path) {
    return open(path, O_RDONLY | O_CLOEXEC);
}

void cgroup_open(struct cgroup *cgroup) {
    if (access(CGROUP_ROOT "cgroup.controllers", F_OK) == 0) {
        cgroup->version = "v2";
        cgroup->memory_stat = open_file(CGROUP_ROOT "memory.stat");
        cgroup->memory_used = open_file(CGROUP_ROOT "memory.current");
        cgroup->memory_limit = open_file(CGROUP_ROOT "memory.max");
        cgroup->oom_events = open_file(CGROUP_ROOT "memory.events");
        cgroup->pids_events = open_file(CGROUP_ROOT "pids.events");
        cgroup->cpu = open_file(CGROUP_ROOT "cpu.stat");
        return;
    }
    cgroup->memory_stat = open_file(CGROUP_ROOT "memory/memory.stat");
    cgroup->memory_used = open_file(CGROUP_ROOT "memory/memory.usage_in_bytes");
    cgroup->memory_limit = open_file(CGROUP_ROOT "memory/memory.limit_in_bytes");
    cgroup->oom_events = open_file(CGROUP_ROOT "memory/memory.oom_control");
    cgroup->pids_events = open_file(CGROUP_ROOT "pids/pids.events");
    cgroup->cpu = open_file(CGROUP_ROOT "cpuacct/cpuacct.usage");
    if (cgroup->cpu < 0) cgroup->cpu = open_file(CGROUP_ROOT "cpu,cpuacct/cpuacct.usage");
    cgroup->version = cgroup->memory_stat >= 0 || cgroup->cpu >= 0 ? "v1" : "none";
}

int64_t number_after(const char *text, const char *key) {
    size_t size = strlen(key);
    for (const char *line = text; line != NULL && *line != 0;) {
        if (strncmp(line, key, size) == 0 && (size == 0 || line[size] == ' ')) {
            const char *digits = line + size + (size != 0);
            return isdigit((unsigned char)*digits) ? strtoll(digits, NULL, 10) : -1;
        }
        line = strchr(line, '\n');
        if (line != NULL) line++;
    }
    return -1;
}

static bool read_text(int fd, char text[FILE_BYTES_MAX]) {
    if (fd < 0) return false;
    ssize_t size = pread(fd, text, FILE_BYTES_MAX - 1, 0);
    if (size <= 0) return false;
    text[size] = 0;
    return true;
}

static int64_t read_number(int fd, const char *key) {
    char text[FILE_BYTES_MAX];
    return read_text(fd, text) ? number_after(text, key) : -1;
}

int64_t cgroup_cpu_us(const struct cgroup *cgroup) {
    if (strcmp(cgroup->version, "v2") == 0) return read_number(cgroup->cpu, "usage_usec");
    int64_t ns = read_number(cgroup->cpu, "");
    return ns < 0 ? -1 : ns / NS_PER_US;
}

int64_t cgroup_oom_kills(const struct cgroup *cgroup) {
    return read_number(cgroup->oom_events, "oom_kill");
}

struct cgroup_reading cgroup_read(const struct cgroup *cgroup) {
    return (struct cgroup_reading){
        .oom_kills = cgroup_oom_kills(cgroup),
        .pids_limit_hits = read_number(cgroup->pids_events, "max"),
        .cpu_us = cgroup_cpu_us(cgroup),
    };
}

struct cgroup_pages cgroup_pages_in(const char *version, const char *text) {
    bool v2 = strcmp(version, "v2") == 0;
    return (struct cgroup_pages){
        .anon = number_after(text, v2 ? "anon" : "rss"),
        .shmem = number_after(text, "shmem"),
        .file = number_after(text, v2 ? "file" : "cache"),
    };
}

struct cgroup_pages cgroup_pages(const struct cgroup *cgroup) {
    char text[FILE_BYTES_MAX];
    if (!read_text(cgroup->memory_stat, text)) return (struct cgroup_pages){-1, -1, -1};
    return cgroup_pages_in(cgroup->version, text);
}

int64_t cgroup_bytes_left(const struct cgroup *cgroup, int64_t enough) {
    int64_t limit = read_number(cgroup->memory_limit, "");
    int64_t used = read_number(cgroup->memory_used, "");
    if (limit < 0 || used < 0) return INT64_MAX;
    if (limit - used >= enough) return limit - used;
    struct cgroup_pages pages = cgroup_pages(cgroup);
    return limit - used + (pages.file > pages.shmem ? pages.file - pages.shmem : 0);
}

int64_t cgroup_kernel_bytes(const struct cgroup *cgroup) {
    if (strcmp(cgroup->version, "v2") == 0) return read_number(cgroup->memory_stat, "kernel");
    int fd = open_file(CGROUP_ROOT "memory/memory.kmem.usage_in_bytes");
    int64_t bytes = read_number(fd, "");
    if (fd >= 0) close(fd);
    return bytes;
}
