/* What counts as a run's memory: the kernel's files, and what is made of them. */
#include <string.h>

#include "cgroup.h"
#include "check.h"
#include "locks.h"
#include "usage.h"

#define MIB (INT64_C(1) << 20)

static const char V1_STAT[] = "cache 9011200\nrss 1216512\nrss_huge 0\nshmem 5406720\nmapped_file 0\n"
                              "total_rss 7\ntotal_shmem 7\n";
static const char V2_STAT[] = "anon 1216512\nfile 9011200\nkernel 99\nshmem 5406720\nfile_mapped 0\n";
static const char STATUS[] = "Name:\tRssAnon:\\n 9 kB\nUmask:\t0022\nVmHWM:\t   45000 kB\nVmRSS:\t   43000 kB\n"
                             "RssAnon:\t    9000 kB\nRssFile:\t   33000 kB\nRssShmem:\t    1000 kB\n"
                             "VmExe:\t   40000 kB\nVmLib:\t 5 kB\n";

static void reads_memory_stat(void) {
    struct cgroup_pages one = cgroup_pages_in("v1", V1_STAT), two = cgroup_pages_in("v2", V2_STAT);
    CHECK(one.anon == 1216512 && one.shmem == 5406720 && one.file == 9011200);
    CHECK(two.anon == 1216512 && two.shmem == 5406720 && two.file == 9011200);
    struct cgroup_pages none = cgroup_pages_in("v1", "cache 1\n");
    CHECK(none.anon == -1 && none.shmem == -1);
}

/* A base that goes, and a program that comes, are not the run's. */
static void leaves_out_the_base(void) {
    struct usage usage = {.before.shmem = 10 * MIB};
    usage_release(&usage, 3 * MIB - 1);
    CHECK(usage.before.shmem == 7 * MIB);
    usage_mount(&usage, 1 * MIB - 1);
    CHECK(usage.before.shmem == 8 * MIB && usage.program_bytes == 1 * MIB);
}

static void reads_counters(void) {
    CHECK(number_after("max 12\n", "max") == 12);
    CHECK(number_after("low 0\nhigh 0\nmax 3\noom 2\noom_kill 1\noom_group_kill 0\n", "oom_kill") == 1);
    CHECK(number_after("oom_kill_disable 0\nunder_oom 0\noom_kill 4\n", "oom_kill") == 4);
    CHECK(number_after("max\n", "") == -1);
    CHECK(number_after("16777216\n", "") == 16777216);
}

static void reads_a_process(void) {
    struct process_memory process;
    CHECK(process_memory_in(STATUS, &process));
    CHECK(process.anon == 9000 * 1024 && process.file == 33000 * 1024);
    CHECK(process.shmem == 1000 * 1024 && process.text == 40000 * 1024);
    CHECK(!process_memory_in("Name:\tgone\nState:\tZ (zombie)\n", &process));
    /* gVisor tells only the sum. */
    CHECK(process_memory_in("Name:\tx\nVmSize:\t9 kB\nVmRSS:\t8 kB\n", &process));
    CHECK(process.anon == 8 * 1024 && process.file == 0);
}

static struct usage_look measure(const struct process_memory *processes, int count) {
    struct usage_look look = {.complete = true};
    for (int i = 0; i < count; i++) usage_add(&look, &processes[i]);
    return look;
}

static int64_t sum_of(const struct usage_look *look, int64_t anon, int64_t shmem, int64_t held) {
    return usage_sum(look, &(struct cgroup_pages){.anon = anon, .shmem = shmem}, held);
}

static void one_process_is_exact(void) {
    struct usage_look look = measure(&(struct process_memory){.anon = 3 * MIB, .file = 2 * MIB}, 1);
    CHECK(sum_of(&look, 900 * MIB, -1, 0) == 5 * MIB && sum_of(&look, 0, 0, MIB) == 6 * MIB);
    CHECK(look.largest == 5 * MIB);
}

static void counts_pages_once(void) {
    const struct process_memory forks[] = {
        {.anon = 60 * MIB, .file = 6 * MIB, .text = 3 * MIB},
        {.anon = 60 * MIB, .file = 5 * MIB, .text = 3 * MIB},
        {.anon = 2 * MIB, .file = 2 * MIB, .text = MIB / 4},
    };
    struct usage_look look = measure(forks, 3);
    /* Of the second program only what cannot be of the libraries that both have. */
    int64_t files = 6 * MIB + MIB / 2;
    /* What the cgroup counts, */
    CHECK(sum_of(&look, 63 * MIB, 0, 0) == 63 * MIB + files);
    /* which is late: it is not believed below the largest process, */
    CHECK(sum_of(&look, 10 * MIB, 0, 0) == 60 * MIB + files);
    /* nor above what the processes have. */
    CHECK(sum_of(&look, 900 * MIB, 0, 0) == 122 * MIB + files);
    CHECK(sum_of(&look, -1, -1, 0) == 122 * MIB + files);
}

static void counts_shared_memory_once(void) {
    const struct process_memory both[] = {{.anon = MIB, .shmem = 50 * MIB}, {.anon = MIB, .shmem = 50 * MIB}};
    struct usage_look look = measure(both, 2);
    CHECK(sum_of(&look, 2 * MIB, 50 * MIB, 20 * MIB) == 52 * MIB);
    CHECK(sum_of(&look, 2 * MIB, 0, 0) == 52 * MIB);
    CHECK(sum_of(&look, 2 * MIB, 0, 70 * MIB) == 72 * MIB);
}

static void processes_and_programs_are_bounded(void) {
    struct usage_look look = {0};
    struct process_memory process = {.anon = MIB, .file = MIB};
    for (int i = 0; i < PROCESSES_MAX; i++) {
        process.text = MIB * (i + 1);
        usage_add(&look, &process);
    }
    CHECK(look.programs == USAGE_PROGRAMS_MAX && look.processes == PROCESSES_MAX);
    /* There may be more: the cgroup is asked, whatever those that were seen have. */
    CHECK(sum_of(&look, 900 * MIB, 0, 0) == (900 + USAGE_PROGRAMS_MAX) * MIB);
}

static void peak(void) {
    const struct cgroup nowhere = {.version = "none"};
    struct usage usage = {.cgroup = &nowhere, .processes = {.proc_fd = -1}};
    const char *source;
    usage_begin(&usage);
    CHECK(usage_peak(&usage, 0, 50 * MIB, &source) == -1 && strcmp(source, "none") == 0);
    usage_reaped(&usage, 40 * 1024);
    usage_reaped(&usage, 3 * 1024);
    CHECK(usage_peak(&usage, 0, 50 * MIB, &source) == 40 * MIB && strcmp(source, "rusage") == 0);
    /* It was 30 MiB when it was seen, with 20 beside it; nobody saw the spike. */
    usage.peak = 50 * MIB;
    usage.largest = 30 * MIB;
    usage.beside = 20 * MIB;
    CHECK(usage_peak(&usage, 0, 50 * MIB, &source) == 60 * MIB && strcmp(source, "rusage") == 0);
    usage.peak = 90 * MIB;
    CHECK(usage_peak(&usage, 0, 50 * MIB, &source) == 90 * MIB && strcmp(source, "sampled") == 0);
    /* The mark of a process that has been seen at its largest adds nothing. */
    usage.peak = 45 * MIB;
    usage.largest = 41 * MIB;
    CHECK(usage_peak(&usage, 0, 50 * MIB, &source) == 45 * MIB && strcmp(source, "sampled") == 0);
    CHECK(usage_peak(&usage, 1, 50 * MIB, &source) == 50 * MIB && strcmp(source, "limit") == 0);
    usage_begin(&usage);
    CHECK(usage_peak(&usage, 0, 50 * MIB, &source) == -1);
}

static void looks_only_at_its_own(void) {
    const struct cgroup nowhere = {.version = "none"};
    struct usage usage;
    /* Not PID 1: nobody's processes are the run's, and nothing is due. */
    usage_open(&usage, &nowhere);
    usage_begin(&usage);
    usage_start(&usage, 1);
    CHECK(usage_due_us(&usage) == INT64_MAX);
}

/* proc_locks(5): one that waits stands behind the one that it waits for. */
static void counts_locks(void) {
    CHECK(locks_in("") == 0);
    CHECK(locks_in("1: POSIX  ADVISORY  WRITE 7 00:21:9 0 0\n1: -> POSIX  ADVISORY  WRITE 8 00:21:9 0 0\n"
                   "2: OFDLCK ADVISORY  READ -1 00:21:9 0 0\n3: FLOCK  ADVISORY  WRITE 7 00:21:9 0 EOF\n") == 3);
    CHECK(locks_in("4: POSIX  ADVISORY  WRITE 7 00:21:9 0 0") == 0);
}

int main(void) {
    counts_locks();
    reads_memory_stat();
    reads_counters();
    leaves_out_the_base();
    reads_a_process();
    one_process_is_exact();
    counts_pages_once();
    counts_shared_memory_once();
    processes_and_programs_are_bounded();
    peak();
    looks_only_at_its_own();
    return checks_done("usage-test");
}
