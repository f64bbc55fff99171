#include "report.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

enum { TRAILER_BYTES_MAX = 1024 };

static int64_t difference(int64_t before, int64_t after) {
    return before < 0 || after < 0 ? -1 : after - before;
}

/* A program that the launcher killed died of SIGKILL; any other end happened before the kill. */
static const char *killer(const struct run *run) {
    int status = run->result.status;
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) return "none";
    switch (run->killed) {
    case KILLED_BY_DEADLINE:
        return "deadline";
    case KILLED_BY_HOST:
        return "host";
    case KILLED_BY_LOCKS:
        return "locks";
    case KILLED_BY_CPU_TIME:
        return "cpu_time";
    default:
        return "none";
    }
}

static const char *preload(const struct run *run) {
    if (run->preload_lost) return "lost";
    return run->preloaded ? "used" : "unused";
}

static void send_trailer(struct run *run, int64_t oom_kills) {
    char text[TRAILER_BYTES_MAX];
    const struct output *out = &run->streams[0].output, *err = &run->streams[1].output;
    int64_t since = run->started ? run->started_us : run->begun_us;
    const struct room *room = run->room;
    const char *source;
    int64_t peak = usage_peak(&run->usage, oom_kills, run->memory_bytes_max, &source);
    snprintf(text, sizeof text,
             "status=%d\nkilled=%s\nwall_us=%" PRId64
             "\ncpu_us=%" PRId64 "\nmemory_peak=%" PRId64 "\nmemory_source=%s\noom_kills=%" PRId64
             "\npids_limit_hits=%" PRId64 "\ntmp_full=%d\ntmp_inodes_full=%d\nshm_full=%d"
             "\nshm_inodes_full=%d\nstdout_bytes=%" PRIu64 "\nstderr_bytes=%" PRIu64
             "\nstdout_truncated=%d\nstderr_truncated=%d\npreload=%s\n",
             run->result.status, killer(run), run->ended_us - since,
             difference(run->before.cpu_us, run->after.cpu_us), peak, source, oom_kills,
             difference(run->before.pids_limit_hits, run->after.pids_limit_hits), room->tmp_full,
             room->tmp_inodes_full, room->shm_full, room->shm_inodes_full, out->total, err->total,
             output_truncated(out), output_truncated(err), preload(run));
    host_send_text(run->host, FRAME_TRAILER, run->number, text);
}

/* The child's own message, if it wrote one. */
static const char *refusal(struct run *run) {
    run->setup[run->setup_size] = 0;
    return run->setup;
}

void report_end(struct run *run) {
    int64_t oom_kills = difference(run->before.oom_kills, run->after.oom_kills);
    const char *words = refusal(run);
    if (words[0] == 0 && (run->started || run->killed != KILLED_BY_NONE)) {
        send_trailer(run, oom_kills);
        return;
    }
    if (words[0] == 0)
        words = oom_kills > 0 ? "input: the job does not fit the memory of its cell"
                              : "isolation: the job ended before its program was started";
    host_send_text(run->host, FRAME_REFUSED, run->number, words);
}
