#include "usage.h"

#include <stddef.h>
#include <unistd.h>

#include "clock.h"

enum {
    BYTES_PER_KIB = 1024,
    /* Short runs are sampled often, as far as that is cheap, long ones every 10 ms. */
    LOOK_EVERY_US_MIN = 1000,
    LOOK_EVERY_US_MAX = 10000,
    LOOKS_PER_AGE = 50
};

void usage_open(struct usage *usage, const struct cgroup *cgroup) {
    *usage = (struct usage){.cgroup = cgroup, .stopped = true};
    processes_open(&usage->processes, cgroup);
}

void usage_start(struct usage *usage, int64_t started_us) {
    usage->stopped = usage->processes.proc_fd < 0;
    usage->begun_us = started_us;
    usage->next_us = started_us + LOOK_EVERY_US_MIN;
}

void usage_reaped(struct usage *usage, int64_t maxrss_kib) {
    int64_t bytes = maxrss_kib * BYTES_PER_KIB;
    if (bytes > usage->reaped_bytes) usage->reaped_bytes = bytes;
}

void usage_set_zygote(struct usage *usage, pid_t zygote) {
    struct process_memory process;
    usage->zygote = zygote;
    usage->zygote_anon =
        zygote != 0 && processes_read_pid(&usage->processes, zygote, &process) ? process.anon : 0;
}

void usage_share_zygote(struct usage *usage) {
    usage->before.anon -= usage->zygote_anon;
}

/* Processes of one program map the same files: these count once per program. */
static void add_program(struct usage_look *look, const struct process_memory *process) {
    for (int i = 0; i < look->programs; i++) {
        struct process_memory *known = &look->program[i];
        if (known->text != process->text) continue;
        if (process->file > known->file) *known = *process;
        return;
    }
    if (look->programs < USAGE_PROGRAMS_MAX) look->program[look->programs++] = *process;
}

static int64_t larger(int64_t one, int64_t other) {
    return one > other ? one : other;
}

void usage_add(struct usage_look *look, const struct process_memory *process) {
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
    const struct process_memory *largest = &look->program[0];
    int64_t sum = 0;
    for (int i = 1; i < look->programs; i++)
        if (look->program[i].file > largest->file) largest = &look->program[i];
    for (int i = 0; i < look->programs; i++) {
        const struct process_memory *program = &look->program[i];
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
    if (counted < 0 || (look->complete && counted > look->anon_sum)) return look->anon_sum;
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
    struct process_memory own;
    if (pages.anon >= 0 && processes_read_own(&usage->processes, &own)) pages.anon -= own.anon;
    return pages;
}

static int64_t risen(int64_t before, int64_t now) {
    return now < 0 ? -1 : larger(now - before, 0);
}

void usage_begin(struct usage *usage) {
    usage_end(usage);
    *usage = (struct usage){
        .cgroup = usage->cgroup, .processes = usage->processes, .stopped = true, .peak = -1,
        .zygote = usage->zygote, .zygote_anon = usage->zygote_anon};
    if (usage->processes.proc_fd >= 0) usage->before = counted(usage);
}

/* A file in memory takes whole pages. */
static int64_t page_bytes(int64_t size) {
    int64_t page = sysconf(_SC_PAGESIZE);
    return (size + page - 1) / page * page;
}

void usage_release(struct usage *usage, int64_t bytes) {
    usage->before.shmem -= page_bytes(bytes);
}

void usage_mount(struct usage *usage, int64_t program_bytes) {
    usage->program_bytes = page_bytes(program_bytes);
    usage->before.shmem += usage->program_bytes;
}

void usage_end(struct usage *usage) {
    usage->stopped = true;
    processes_close(&usage->processes);
}

static void look_at_all(struct usage *usage, pid_t init, struct usage_look *look) {
    static struct process_memory memory[PROCESSES_MAX];
    const pid_t except[] = {init, usage->zygote};
    look->complete = processes_find(&usage->processes, except);
    int count = processes_read(&usage->processes, memory);
    for (int i = 0; i < count; i++) usage_add(look, &memory[i]);
}

static void take_look(struct usage *usage, const struct room *room, pid_t init) {
    struct usage_look look = {0};
    look_at_all(usage, init, &look);
    if (look.processes == 0 && look.complete) return;
    struct cgroup_pages of_run = counted(usage);
    of_run.anon = risen(usage->before.anon, of_run.anon);
    /* Its pages are those of a file in memory. */
    int64_t program = look.shmem_max < usage->program_bytes ? look.shmem_max : usage->program_bytes;
    of_run.shmem = risen(usage->before.shmem, of_run.shmem) + program;
    int64_t held = __atomic_load_n(&room->held_bytes, __ATOMIC_RELAXED);
    int64_t sum = usage_sum(&look, &of_run, held + program);
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
