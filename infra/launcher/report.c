#include "report.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

enum { TRAILER_BYTES_MAX = 768, BYTES_PER_KIB = 1024 };

static int64_t difference(int64_t before, int64_t after) {
    return before < 0 || after < 0 ? -1 : after - before;
}

/* A program that the launcher killed died of SIGKILL; any other end came before the kill did. */
static const char *killer(const struct run *run) {
    int status = run->result.status;
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) return "none";
    switch (run->killed) {
    case KILLED_BY_DEADLINE:
        return "deadline";
    case KILLED_BY_HOST:
        return "host";
    default:
        return "none";
    }
}

/*
 * The cgroup's high-water mark is of its whole life. It is this job's where it is the first, where
 * it rose meanwhile, or where it hit the limit; else what was seen in use, or the program's own
 * largest size. That one counts shared pages too, which others may have paid for, hence the cap.
 */
static int64_t memory_peak(const struct run *run, int64_t cgroup_peak, int64_t oom_kills,
                           const char **source) {
    int64_t resident = run->result.memory_peak_kib * BYTES_PER_KIB;
    bool is_ours = run->jobs == 1 || cgroup_peak > run->before.memory_peak || oom_kills > 0;
    if (cgroup_peak >= 0 && is_ours) {
        *source = "cgroup";
        return cgroup_peak;
    }
    if (run->memory_sampled > resident) {
        *source = "sampled";
        return run->memory_sampled;
    }
    *source = resident > 0 ? "rusage" : "none";
    if (resident <= 0) return -1;
    return cgroup_peak >= 0 && cgroup_peak < resident ? cgroup_peak : resident;
}

static void send_trailer(struct run *run, const struct cgroup_reading *after, int64_t oom_kills) {
    char text[TRAILER_BYTES_MAX];
    const struct output *out = &run->streams[0].output, *err = &run->streams[1].output;
    int64_t since = run->phase == RUN_SETUP ? run->begun_us : run->started_us;
    const char *source;
    int64_t peak = memory_peak(run, after->memory_peak, oom_kills, &source);
    snprintf(text, sizeof text,
             "status=%d\nkilled=%s\nphase=%s\ncompile_us=%" PRId64 "\nwall_us=%" PRId64 "\ncpu_us=%" PRId64 "\nmemory_peak=%" PRId64
             "\nmemory_source=%s\noom_kills=%" PRId64 "\nstdout_bytes=%" PRIu64
             "\nstderr_bytes=%" PRIu64 "\nstdout_truncated=%d\nstderr_truncated=%d\n",
             run->result.status, killer(run), run->phase == RUN_COMPILES ? "compile" : "program",
             run->compile_us, run->ended_us - since,
             difference(run->before.cpu_us, after->cpu_us), peak, source, oom_kills, out->total,
             err->total, output_truncated(out), output_truncated(err));
    host_send_text(run->host, FRAME_TRAILER, run->number, text);
}

/* The child's own words, if it came to say any. */
static const char *refusal(struct run *run) {
    run->setup[run->setup_size] = 0;
    return run->setup;
}

void report_end(struct run *run) {
    struct cgroup_reading after = cgroup_read(run->cgroup);
    int64_t oom_kills = difference(run->before.oom_kills, after.oom_kills);
    const char *words = refusal(run);
    if (words[0] == 0 && (run->phase != RUN_SETUP || run->killed != KILLED_BY_NONE)) {
        send_trailer(run, &after, oom_kills);
        return;
    }
    if (words[0] == 0)
        words = oom_kills > 0 ? "input: the job does not fit the memory of its cell"
                              : "isolation: the job ended before its program was started";
    host_send_text(run->host, FRAME_REFUSED, run->number, words);
}
