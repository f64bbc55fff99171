#include "cgroup.h"

#include <ctype.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 2048, NS_PER_US = 1000 };

#define CGROUP_ROOT "/sys/fs/cgroup/"

static int open_file(const char *path) {
    return open(path, O_RDONLY | O_CLOEXEC);
}

void cgroup_open(struct cgroup *cgroup) {
    if (access(CGROUP_ROOT "cgroup.controllers", F_OK) == 0) {
        cgroup->version = "v2";
        cgroup->memory_now = open_file(CGROUP_ROOT "memory.current");
        cgroup->memory_peak = open_file(CGROUP_ROOT "memory.peak");
        cgroup->oom_events = open_file(CGROUP_ROOT "memory.events");
        cgroup->cpu = open_file(CGROUP_ROOT "cpu.stat");
        return;
    }
    cgroup->memory_now = open_file(CGROUP_ROOT "memory/memory.usage_in_bytes");
    cgroup->memory_peak = open_file(CGROUP_ROOT "memory/memory.max_usage_in_bytes");
    cgroup->oom_events = open_file(CGROUP_ROOT "memory/memory.oom_control");
    cgroup->cpu = open_file(CGROUP_ROOT "cpuacct/cpuacct.usage");
    if (cgroup->cpu < 0) cgroup->cpu = open_file(CGROUP_ROOT "cpu,cpuacct/cpuacct.usage");
    cgroup->version = cgroup->memory_now >= 0 || cgroup->cpu >= 0 ? "v1" : "none";
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

static int64_t read_number(int fd, const char *key) {
    char text[FILE_BYTES_MAX];
    if (fd < 0) return -1;
    ssize_t size = pread(fd, text, sizeof text - 1, 0);
    if (size <= 0) return -1;
    text[size] = 0;
    return number_after(text, key);
}

static int64_t cpu_us(const struct cgroup *cgroup) {
    if (strcmp(cgroup->version, "v2") == 0) return read_number(cgroup->cpu, "usage_usec");
    int64_t ns = read_number(cgroup->cpu, "");
    return ns < 0 ? -1 : ns / NS_PER_US;
}

struct cgroup_reading cgroup_read(const struct cgroup *cgroup) {
    return (struct cgroup_reading){
        .memory_peak = read_number(cgroup->memory_peak, ""),
        .oom_kills = read_number(cgroup->oom_events, "oom_kill"),
        .cpu_us = cpu_us(cgroup),
    };
}

int64_t cgroup_memory_now(const struct cgroup *cgroup) {
    return read_number(cgroup->memory_now, "");
}
