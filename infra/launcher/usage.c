#include "usage.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"

enum {
    BYTES_PER_KIB = 1024,
    STATUS_BYTES_MAX = 2048,
    ENTRIES_BYTES_MAX = 16 * 1024,
    /* Short runs are sampled often, as far as that is cheap, long ones every 10 ms. */
    LOOK_EVERY_US_MIN = 1000,
    LOOK_EVERY_US_MAX = 10000,
    LOOKS_PER_AGE = 50,
    DYING_US = 30000
};

void usage_open(struct usage *usage, const struct cgroup *cgroup) {
    *usage = (struct usage){.cgroup = cgroup, .proc_fd = -1, .stopped = true};
    /* Outside a cell (in tests) most processes do not belong to a run. */
    if (getpid() == 1) usage->proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void usage_start(struct usage *usage, int64_t started_us) {
    usage->stopped = usage->proc_fd < 0;
    usage->begun_us = started_us;
    usage->next_us = started_us + LOOK_EVERY_US_MIN;
}

void usage_reaped(struct usage *usage, int64_t maxrss_kib) {
    int64_t bytes = maxrss_kib * BYTES_PER_KIB;
    if (bytes > usage->reaped_bytes) usage->reaped_bytes = bytes;
}

/* The value of a line like "RssAnon:      1234 kB"; -1 if there is none. */
static int64_t bytes_in(const char *text, const char *key) {
    const char *line = strstr(text, key);
    if (line == NULL || line[strlen(key)] != ':') return -1;
    return strtoll(line + strlen(key) + 1, NULL, 10) * BYTES_PER_KIB;
}

/* The process name comes first, with newlines escaped as two characters, so it cannot fake a line.
 * @returns false for a process without memory: a zombie or a kernel thread */
bool usage_process_in(const char *text, struct usage_process *process) {
    int64_t resident = bytes_in(text, "\nVmRSS");
    if (resident < 0) return false;
    process->anon = bytes_in(text, "\nRssAnon");
    process->file = bytes_in(text, "\nRssFile");
    process->shmem = bytes_in(text, "\nRssShmem");
    process->text = bytes_in(text, "\nVmExe");
    /* gVisor and old kernels do not report them separately. */
    if (process->anon < 0 || process->file < 0 || process->shmem < 0)
        *process = (struct usage_process){.anon = resident};
    return true;
}

static bool read_process(int proc_fd, const char *pid, struct usage_process *process) {
    char path[32], text[STATUS_BYTES_MAX];
    snprintf(path, sizeof path, "%.20s/status", pid);
    int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    if (size <= 0) return false;
    text[size] = 0;
    return usage_process_in(text, process);
}

void usage_set_zygote(struct usage *usage, pid_t zygote) {
    struct usage_process process;
    char pid[16];
    snprintf(pid, sizeof pid, "%d", (int)zygote);
    usage->zygote = zygote;
    usage->zygote_anon =
        zygote != 0 && read_process(usage->proc_fd, pid, &process) ? process.anon : 0;
}

void usage_share_zygote(struct usage *usage) {
    usage->before.anon -= usage->zygote_anon;
}

/* Processes of one program map the same files: these count once per program. */
static void add_program(struct usage_look *look, const struct usage_process *process) {
    for (int i = 0; i < look->programs; i++) {
        struct usage_process *known = &look->program[i];
        if (known->text != process->text) continue;
        if (process->file > known->file) *known = *process;
        return;
    }
    if (look->programs < USAGE_PROGRAMS_MAX) look->program[look->programs++] = *process;
}

static int64_t larger(int64_t one, int64_t other) {
    return one > other ? one : other;
}

void usage_add(struct usage_look *look, const struct usage_process *process) {
    look->processes++;
    look->anon_sum += process->anon;
    look->anon_max = larger(look->anon_max, process->anon);
    look->shmem_max = larger(look->shmem_max, process->shmem);
    look->largest = larger(look->largest, process->anon + process->file + process->shmem);
    add_program(look, process);
}

/* Other programs mostly map the same libraries as the largest one. Their own pages are those of their
 * executables: text, and at most as much data. */
static int64_t file_pages(const struct usage_look *look) {
    const struct usage_process *largest = &look->program[0];
    int64_t sum = 0;
    for (int i = 1; i < look->programs; i++)
        if (look->program[i].file > largest->file) largest = &look->program[i];
    for (int i = 0; i < look->programs; i++) {
        const struct usage_process *program = &look->program[i];
        bool whole = program == largest || 2 * program->text >= program->file;
        sum += whole ? program->file : 2 * program->text;
    }
    return sum;
}

/*
 * A fork shares its pages with its parent, so the sum over processes may be too high. The cgroup counts each
 * page once, but the kernel's count may lag. It is used if it is between the largest process and the sum;
 * for a single process both are the same. Rejected: the exact shares of smaps_rollup, which take 0.7 ms for
 * a process of 30 MiB; status takes 14 us and memory.stat 9 us.
 */
static int64_t anon_pages(const struct usage_look *look, int64_t counted) {
    bool complete = look->processes < USAGE_PROCESSES_MAX;
    if (counted < 0 || (complete && counted > look->anon_sum)) return look->anon_sum;
    return larger(counted, look->anon_max);
}

/* Adds the files in tmpfs, and memory that is shared or anonymous. The kernel's counts of the latter may
 * lag, the others do not. */
int64_t usage_sum(const struct usage_look *look, const struct cgroup_pages *of_run,
                  int64_t held_bytes) {
    return anon_pages(look, of_run->anon) + file_pages(look) +
           larger(larger(of_run->shmem, held_bytes), look->shmem_max);
}

/* The cgroup's counts, less the launcher's own pages. */
static struct cgroup_pages counted(const struct usage *usage) {
    struct cgroup_pages pages = cgroup_pages(usage->cgroup);
    struct usage_process own;
    if (pages.anon >= 0 && read_process(usage->proc_fd, "self", &own)) pages.anon -= own.anon;
    return pages;
}

static int64_t risen(int64_t before, int64_t now) {
    return now < 0 ? -1 : larger(now - before, 0);
}

void usage_begin(struct usage *usage) {
    *usage = (struct usage){
        .cgroup = usage->cgroup, .proc_fd = usage->proc_fd, .stopped = true, .peak = -1,
        .zygote = usage->zygote, .zygote_anon = usage->zygote_anon};
    if (usage->proc_fd < 0) return;
    usage->before = counted(usage);
    usage->oom_kills = cgroup_oom_kills(usage->cgroup);
}

/* Reads all entries of /proc, without a heap. */
static void look_at_all(const struct usage *usage, pid_t init, struct usage_look *look) {
    static char entries[ENTRIES_BYTES_MAX] __attribute__((aligned(8)));
    struct usage_process process;
    int proc_fd = usage->proc_fd;
    ssize_t size;
    lseek(proc_fd, 0, SEEK_SET);
    while ((size = getdents64(proc_fd, entries, sizeof entries)) > 0) {
        for (ssize_t at = 0; at < size;) {
            const struct dirent64 *entry = (const struct dirent64 *)(entries + at);
            at += entry->d_reclen;
            if (!isdigit((unsigned char)entry->d_name[0])) continue;
            pid_t pid = atoi(entry->d_name);
            if (pid == init || pid == usage->zygote || pid == getpid()) continue;
            if (!read_process(proc_fd, entry->d_name, &process)) continue;
            usage_add(look, &process);
            if (look->processes >= USAGE_PROCESSES_MAX) return;
        }
    }
}

static void take_look(struct usage *usage, const struct room *room, pid_t init) {
    struct usage_look look = {0};
    look_at_all(usage, init, &look);
    if (look.processes == 0) return;
    struct cgroup_pages of_run = counted(usage);
    of_run.anon = risen(usage->before.anon, of_run.anon);
    of_run.shmem = risen(usage->before.shmem, of_run.shmem);
    int64_t held = __atomic_load_n(&room->held_bytes, __ATOMIC_RELAXED);
    int64_t sum = usage_sum(&look, &of_run, held);
    usage->peak = larger(usage->peak, sum);
    if (look.largest > usage->largest) {
        usage->largest = look.largest;
        usage->beside = larger(sum - look.largest, 0);
    }
}

/*
 * A sample opens files, which takes some of the cell's memory. Until the kernel has reclaimed the memory of a
 * process that it has just killed, it would kill another one for that. So the sample is postponed.
 */
static bool is_dying(struct usage *usage, int64_t now) {
    int64_t kills = cgroup_oom_kills(usage->cgroup);
    if (kills <= usage->oom_kills) return false;
    usage->oom_kills = kills;
    usage->next_us = now + DYING_US;
    return true;
}

void usage_watch(struct usage *usage, const struct room *room, pid_t init, int64_t now) {
    if (usage->stopped || now < usage->next_us || is_dying(usage, now)) return;
    int64_t before = cpu_now_us();
    take_look(usage, room, init);
    int64_t pause = (now - usage->begun_us) / LOOKS_PER_AGE;
    if (pause < LOOK_EVERY_US_MIN) pause = LOOK_EVERY_US_MIN;
    if (pause > LOOK_EVERY_US_MAX) pause = LOOK_EVERY_US_MAX;
    usage->next_us = now + pause_after_us(before, pause);
}

int64_t usage_due_us(const struct usage *usage) {
    return usage->stopped ? INT64_MAX : usage->next_us;
}

/*
 * Samples have gaps; the high-water mark of the largest process has none. Added to the run's other memory
 * at the sample in which that process was largest, it may exceed every sample. If the kernel killed a
 * process because memory ran out, the peak is the limit.
 */
int64_t usage_peak(const struct usage *usage, int64_t oom_kills, int64_t limit, const char **source) {
    if (oom_kills > 0) {
        *source = "limit";
        return limit;
    }
    int64_t marked = usage->reaped_bytes > usage->largest ? usage->reaped_bytes + usage->beside : 0;
    if (usage->peak > 0 && usage->peak >= marked) {
        *source = "sampled";
        return usage->peak;
    }
    *source = marked > 0 ? "rusage" : "none";
    return marked > 0 ? marked : -1;
}
