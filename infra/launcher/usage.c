#include "usage.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    BYTES_PER_KIB = 1024,
    NS_PER_US = 1000,
    US_PER_S = 1000000,
    STATUS_BYTES_MAX = 2048,
    ENTRIES_BYTES_MAX = 16 * 1024,
    /* Short runs are looked at often, as far as that is cheap, and long ones every 10 ms. */
    LOOK_EVERY_US_MIN = 1000,
    LOOK_EVERY_US_MAX = 10000,
    LOOKS_PER_AGE = 50,
    COST_SHARE = 50,
    STEADY_SHARE = 64,
    UNSTEADY_LOOKS_MAX = 3,
    /* However slow a look is. */
    PAUSE_US_MAX = 1000000
};

enum { UNSTEADY = -2 };

void usage_open(struct usage *usage, const struct cgroup *cgroup) {
    *usage = (struct usage){.cgroup = cgroup, .proc_fd = -1, .stopped = true};
    /* Elsewhere (in tests) most processes are none of a run's. */
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

/* A line of the form "RssAnon:      1234 kB"; -1 where there is none. */
static int64_t bytes_in(const char *text, const char *key) {
    const char *line = strstr(text, key);
    if (line == NULL || line[strlen(key)] != ':') return -1;
    return strtoll(line + strlen(key) + 1, NULL, 10) * BYTES_PER_KIB;
}

/* The name of a process comes first, where a newline is written as two characters: no line of
 * these is its own. @returns false for one that has no memory: a zombie, or a kernel's */
bool usage_process_in(const char *text, struct usage_process *process) {
    int64_t resident = bytes_in(text, "\nVmRSS");
    if (resident < 0) return false;
    process->anon = bytes_in(text, "\nRssAnon");
    process->file = bytes_in(text, "\nRssFile");
    process->shmem = bytes_in(text, "\nRssShmem");
    process->text = bytes_in(text, "\nVmExe");
    /* gVisor and old kernels do not tell them apart. */
    if (process->anon < 0 || process->file < 0 || process->shmem < 0)
        *process = (struct usage_process){.anon = resident};
    return true;
}

static bool read_of(int proc_fd, const char *pid, const char *file, char text[STATUS_BYTES_MAX]) {
    char path[48];
    snprintf(path, sizeof path, "%.20s/%s", pid, file);
    int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t size = read(fd, text, STATUS_BYTES_MAX - 1);
    int error = size < 0 ? errno : ESRCH;
    close(fd);
    errno = error;
    if (size <= 0) return false;
    text[size] = 0;
    return true;
}

static bool read_process(int proc_fd, const char *pid, struct usage_process *process) {
    char text[STATUS_BYTES_MAX];
    return read_of(proc_fd, pid, "status", text) && usage_process_in(text, process);
}

/* Of smaps_rollup: each page divided by the processes that have it. Others of the cell's image share
 * its files, but nobody else the run's own pages. */
int64_t usage_share_in(const char *text) {
    return bytes_in(text, "\nPss_Anon");
}

/* 0 for a process that has ended: it has no pages any more. -1 where they may not be read. */
static int64_t anon_share(int proc_fd, int pid) {
    char name[16], text[STATUS_BYTES_MAX];
    snprintf(name, sizeof name, "%d", pid);
    if (read_of(proc_fd, name, "smaps_rollup", text)) return usage_share_in(text);
    return errno == ENOENT || errno == ESRCH ? 0 : -1;
}

/*
 * Asked for where it matters: the kernel walks through all pages of a process for it. Where processes
 * end meanwhile (a whole run, when it is killed), those that are left get larger shares, and the
 * sum is too much: then the first one's has changed too, as it is mostly the parent.
 */
static int64_t anon_shares(int proc_fd, const struct usage_look *look) {
    int64_t sum = 0, first = 0;
    for (int i = 0; i < look->processes; i++) {
        int64_t share = anon_share(proc_fd, look->pid[i]);
        if (share < 0) return -1;
        if (i == 0) first = share;
        sum += share;
    }
    int64_t again = anon_share(proc_fd, look->pid[0]);
    bool steady = llabs(again - first) <= first / STEADY_SHARE;
    return again > 0 && steady ? sum : UNSTEADY;
}

/* Processes of one program map the same files: they count as often as the program. */
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

void usage_add(struct usage_look *look, int pid, const struct usage_process *process) {
    look->pid[look->processes++] = pid;
    look->anon_shares = -1;
    look->anon_sum += process->anon;
    look->anon_max = larger(look->anon_max, process->anon);
    look->shmem_max = larger(look->shmem_max, process->shmem);
    look->largest = larger(look->largest, process->anon + process->file + process->shmem);
    add_program(look, process);
}

/* Of other programs than the largest the libraries are mostly the same: their own pages are what
 * their executables have, data as much as text at most. */
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

static int64_t anon_pages(const struct usage_look *look, int64_t counted) {
    bool complete = look->processes < USAGE_PROCESSES_MAX;
    if (complete && look->processes == 1) return look->anon_sum;
    if (complete && look->anon_shares >= 0) return larger(look->anon_shares, look->anon_max);
    if (counted < 0) return look->anon_sum;
    if (complete && counted > look->anon_sum) return look->anon_sum;
    return larger(counted, look->anon_max);
}

/* What lies in a tmpfs, and memory that processes share or that has no name: the kernel's counts of the
 * latter may be late, the others are not. */
int64_t usage_sum(const struct usage_look *look, const struct cgroup_pages *of_run,
                  int64_t held_bytes) {
    return anon_pages(look, of_run->anon) + file_pages(look) +
           larger(larger(of_run->shmem, held_bytes), look->shmem_max);
}

/* What the cgroup counts beside the launcher. */
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
        .cgroup = usage->cgroup, .proc_fd = usage->proc_fd, .stopped = true, .peak = -1};
    if (usage->proc_fd >= 0) usage->before = counted(usage);
}

/* One entry of /proc after another, without a heap. */
static void look_at_all(int proc_fd, pid_t init, struct usage_look *look) {
    static char entries[ENTRIES_BYTES_MAX] __attribute__((aligned(8)));
    struct usage_process process;
    ssize_t size;
    lseek(proc_fd, 0, SEEK_SET);
    while ((size = getdents64(proc_fd, entries, sizeof entries)) > 0) {
        for (ssize_t at = 0; at < size;) {
            const struct dirent64 *entry = (const struct dirent64 *)(entries + at);
            at += entry->d_reclen;
            if (!isdigit((unsigned char)entry->d_name[0])) continue;
            int pid = atoi(entry->d_name);
            if (pid == init || pid == getpid()) continue;
            if (!read_process(proc_fd, entry->d_name, &process)) continue;
            usage_add(look, pid, &process);
            if (look->processes >= USAGE_PROCESSES_MAX) return;
        }
    }
}

static int64_t cpu_now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / NS_PER_US;
}

static void take_look(struct usage *usage, const struct room *room, pid_t init) {
    static struct usage_look look;
    look = (struct usage_look){0};
    look_at_all(usage->proc_fd, init, &look);
    if (look.processes == 0) return;
    struct cgroup_pages of_run = counted(usage);
    of_run.anon = risen(usage->before.anon, of_run.anon);
    of_run.shmem = risen(usage->before.shmem, of_run.shmem);
    int64_t held = __atomic_load_n(&room->held_bytes, __ATOMIC_RELAXED);
    struct cgroup_pages at_most = {.anon = -1, .shmem = of_run.shmem};
    if (look.processes > 1 && usage_sum(&look, &at_most, held) > usage->peak)
        look.anon_shares = anon_shares(usage->proc_fd, &look);
    usage->unsteady_looks = look.anon_shares == UNSTEADY ? usage->unsteady_looks + 1 : 0;
    /* The moment is not one to judge by; of a run that has no others, the cgroup's count is. */
    if (usage->unsteady_looks > 0 && usage->unsteady_looks <= UNSTEADY_LOOKS_MAX) return;
    int64_t sum = usage_sum(&look, &of_run, held);
    usage->peak = larger(usage->peak, sum);
    if (look.largest > usage->largest) {
        usage->largest = look.largest;
        usage->beside = larger(sum - look.largest, 0);
    }
}

void usage_watch(struct usage *usage, const struct room *room, pid_t init, int64_t now) {
    if (usage->stopped || now < usage->next_us) return;
    int64_t before = cpu_now_us();
    take_look(usage, room, init);
    int64_t pause = (now - usage->begun_us) / LOOKS_PER_AGE;
    if (pause < LOOK_EVERY_US_MIN) pause = LOOK_EVERY_US_MIN;
    if (pause > LOOK_EVERY_US_MAX) pause = LOOK_EVERY_US_MAX;
    pause = larger(pause, (cpu_now_us() - before) * COST_SHARE);
    usage->next_us = now + (pause > PAUSE_US_MAX ? PAUSE_US_MAX : pause);
}

int64_t usage_due_us(const struct usage *usage) {
    return usage->stopped ? INT64_MAX : usage->next_us;
}

/*
 * The high-water mark of the largest process has no gaps, as looks have: with what lay beside that
 * process when it was seen at its largest, it may be more than any look. Where the kernel killed for
 * want of memory, the peak is the limit.
 */
int64_t usage_peak(const struct usage *usage, int64_t oom_kills, const char **source) {
    int64_t limit = cgroup_memory_limit(usage->cgroup);
    if (oom_kills > 0 && limit > 0) {
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
