/* One job from its clone to its trailer, in steps that do not block, except for a zygote that does not answer. */
#ifndef LAUNCHER_RUN_H
#define LAUNCHER_RUN_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base.h"
#include "cgroup.h"
#include "child.h"
#include "cpu-time.h"
#include "file-stream.h"
#include "host.h"
#include "input.h"
#include "locks.h"
#include "output.h"
#include "usage.h"
#include "zygote.h"

enum { RUN_STREAMS = 2, RUN_FDS = 3 + RUN_STREAMS };

enum run_killer { KILLED_BY_NONE, KILLED_BY_DEADLINE, KILLED_BY_HOST, KILLED_BY_LOCKS, KILLED_BY_CPU_TIME };

struct run_stream {
    int fd; /* -1 once the program's side is closed */
    struct output output;
    size_t tail_sent;
    int64_t gathers_until_us; /* not read before this time */
};

struct run {
    struct host *host;
    const struct cgroup *cgroup;
    struct usage usage;
    struct locks locks;
    struct zygote zygote;
    struct base_holder base;
    struct room *room;

    bool active;
    uint32_t number;
    bool nested;
    pid_t first; /* init, or the plain program; 0 once it is reaped */
    bool all_dead;
    bool collects; /* plain: a process collects the files; all others are dead */
    enum run_killer killed;

    struct input input;
    uint64_t confirmation; /* its place among what is sent (host.h) */

    int setup_fd; /* -1 once the exec has closed it */
    char setup[CHILD_SETUP_BYTES_MAX];
    size_t setup_size;
    int64_t ready_us; /* the program's mark, while its exec may still fail */
    bool started; /* the program was exec'ed */
    int result_fd;
    struct file_stream files;
    struct child_result result;
    struct run_stream streams[RUN_STREAMS];

    int64_t begun_us;
    int64_t started_us;
    int64_t ended_us;
    uint32_t timeout_ms;
    int64_t deadline_us; /* INT64_MAX: none */
    int64_t memory_bytes_max;
    struct cpu_time cpu_time;
    bool preloaded;    /* the program was forked from the zygote, not exec'ed */
    bool preload_lost; /* the zygote died when it was given the job */
    struct cgroup_reading before;
    struct cgroup_reading after; /* when all processes were dead, before files were collected */
};

/* `argv`: of the zygote (zygote.h), which is not started yet. Call it once. */
void run_open(struct run *run, char **argv);

/* Starts the zygote, once, unless a job runs. */
void run_preload(struct run *run);

/* Starts the job, or prepares its refusal. Takes ownership of the payload. There must be a base if the job uses it. */
void run_start(struct run *run, struct job *job, unsigned char *payload, size_t payload_size);

/*
 * Kills every process of the job. Its output and the trailer are still sent, and its files, unless the host kills it.
 */
void run_kill(struct run *run, enum run_killer killer);

/* Fills RUN_FDS entries. @returns the longest time that poll may wait, in ms; -1: no limit */
int run_poll(const struct run *run, struct pollfd *fds);

/* Does the work that is possible now. Call it whenever poll returns. */
void run_step(struct run *run);

#endif
