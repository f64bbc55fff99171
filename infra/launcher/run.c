#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "isolation.h"
#include "memory.h"
#include "reap.h"
#include "report.h"

enum { US_PER_S = 1000000, US_PER_MS = 1000, NS_PER_US = 1000 };

static const enum frame_type HEAD_FRAMES[RUN_STREAMS] = {FRAME_STDOUT, FRAME_STDERR};
static const enum frame_type TAIL_FRAMES[RUN_STREAMS] = {FRAME_STDOUT_TAIL, FRAME_STDERR_TAIL};

int64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / NS_PER_US;
}

static void close_fd(int *fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

/* A pipe whose reading end, ours, never blocks; the writing end is as programs expect it. */
static bool make_pipe(int *ours, int *theirs) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    *ours = ends[0];
    *theirs = ends[1];
    return *theirs < CHILD_FDS_MAX && fcntl(*ours, F_SETFL, O_NONBLOCK) == 0;
}

static bool make_pipes(struct run *run, struct child_given *given) {
    return make_pipe(&run->streams[0].fd, &given->out) &&
           make_pipe(&run->streams[1].fd, &given->err) &&
           make_pipe(&run->setup_fd, &given->setup) &&
           (!run->nested || make_pipe(&run->result_fd, &given->result));
}

/* Taken before the job runs: at its end, memory may be what there is none of. */
static bool take_tails(struct run *run, const struct job *job) {
    for (int i = 0; i < RUN_STREAMS; i++) {
        unsigned char *ring = memory_take(job->tail_bytes_max, MEMORY_OWN);
        if (ring == NULL) return false;
        output_begin(&run->streams[i].output, job->head_bytes_max, ring, job->tail_bytes_max);
    }
    return true;
}

static void forget(struct run *run) {
    for (int i = 0; i < RUN_STREAMS; i++) {
        struct run_stream *stream = &run->streams[i];
        close_fd(&stream->fd);
        memory_give_back(stream->output.ring, stream->output.ring_size);
    }
    close_fd(&run->setup_fd);
    close_fd(&run->result_fd);
    room_give_back(run->room);
    struct run idle = {.host = run->host, .cgroup = run->cgroup, .usage = run->usage};
    explicit_bzero(run, sizeof *run);
    *run = idle;
}

static void begin(struct run *run, const struct job *job) {
    run->active = true;
    run->number = job->number;
    run->nested = job->nested;
    run->setup_fd = run->result_fd = run->streams[0].fd = run->streams[1].fd = -1;
    /* What holds where nobody reports: the init was killed, and the program with it. */
    run->result.status = SIGKILL;
    run->before = cgroup_read(run->cgroup);
    run->begun_us = now_us();
    run->deadline_us = INT64_MAX;
    if (job->timeout_ms > 0)
        run->deadline_us = run->begun_us + (int64_t)job->timeout_ms * US_PER_MS;
    usage_begin(&run->usage);
}

void run_start(struct run *run, struct job *job, unsigned char *payload, size_t payload_size) {
    struct child_given given = {getuid(), getgid(), -1, -1, -1, -1, NULL};
    const char *failed = NULL;
    begin(run, job);
    given.room = run->room = room_take();
    if (run->room == NULL) failed = "memory for the room";
    else if (!make_pipes(run, &given)) failed = "pipe";
    else if (!take_tails(run, job)) failed = "memory for the output";
    if (failed == NULL) {
        run->first = isolation_clone(run->nested);
        if (run->first == 0) child_main(job, payload, payload_size, &given);
        if (run->first < 0) failed = "clone";
    }
    if (failed != NULL) {
        run->first = 0;
        run->all_dead = true;
        snprintf(run->setup, sizeof run->setup, "isolation: %s: %s", failed, strerror(errno));
        run->setup_size = strlen(run->setup);
    }
    close_fd(&given.out);
    close_fd(&given.err);
    close_fd(&given.setup);
    close_fd(&given.result);
    memory_give_back(payload, payload_size);
}

void run_kill(struct run *run, enum run_killer killer) {
    if (!run->active || run->all_dead) return;
    if (run->killed == KILLED_BY_NONE) run->killed = killer;
    /* The namespace dies with its init, however many processes there are in it. */
    if (!run->nested) kill_everyone();
    else if (run->first > 0) kill(run->first, SIGKILL);
}

/* The init lets go of this pipe a moment after the program's exec has. */
static void read_setup(struct run *run) {
    if (run->setup_fd < 0) return;
    ssize_t count;
    do {
        size_t room = sizeof run->setup - 1 - run->setup_size;
        count = read(run->setup_fd, run->setup + run->setup_size, room);
        if (count > 0) run->setup_size += (size_t)count;
    } while (count > 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    close_fd(&run->setup_fd);
    run->started = run->setup_size == CHILD_READY_BYTES && run->setup[0] == CHILD_READY;
    if (!run->started) return;
    memcpy(&run->started_us, run->setup + 1, sizeof run->started_us);
    /* The program's time is its own: none of it went into the namespaces. */
    if (run->deadline_us != INT64_MAX) run->deadline_us += run->started_us - run->begun_us;
    usage_start(&run->usage, run->started_us);
    host_send(run->host, FRAME_STARTED, run->number, NULL, 0);
}

/* One read, so that a program that prints without end keeps nobody else waiting. */
static void read_stream(struct run *run, int which) {
    static unsigned char bytes[FRAME_OUT_BYTES_MAX - FRAME_NUMBER_BYTES];
    struct run_stream *stream = &run->streams[which];
    size_t size = sizeof bytes;
    if (stream->fd < 0) return;
    if (stream->output.head_left > 0) {
        size = host_output_room(run->host);
        if (size == 0) return;
    }
    ssize_t count = read(stream->fd, bytes, size);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) {
        close_fd(&stream->fd);
        return;
    }
    size_t head = output_feed(&stream->output, bytes, (size_t)count);
    if (head > 0) host_send(run->host, HEAD_FRAMES[which], run->number, bytes, head);
    explicit_bzero(bytes, (size_t)count);
}

/* In a namespace there is only the init to wait for, and nobody of the job outlives it: what the
 * kernel killed there at its end has been waited for by it. */
static void reap(struct run *run) {
    struct rusage usage;
    int status;
    pid_t pid;
    while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
        usage_reaped(&run->usage, usage.ru_maxrss);
        if (pid != run->first) continue;
        run->first = 0;
        if (!run->nested) run->result.status = status;
    }
    if (pid < 0 && errno == ECHILD) {
        run->all_dead = true;
        run->ended_us = now_us();
        if (!run->nested) room_look(run->room);
    } else if (run->first == 0 && !run->nested) {
        kill_everyone();
    }
}

static void read_result(struct run *run) {
    struct child_result result;
    if (run->result_fd < 0) return;
    if (read(run->result_fd, &result, sizeof result) == (ssize_t)sizeof result) {
        run->result = result;
        usage_reaped(&run->usage, result.memory_peak_kib);
    }
    close_fd(&run->result_fd);
}

/* @returns whether all of it is in the queue */
static bool send_tail(struct run *run, int which) {
    struct run_stream *stream = &run->streams[which];
    const unsigned char *bytes;
    size_t size;
    while ((size = output_tail(&stream->output, stream->tail_sent, &bytes)) > 0) {
        size_t room = host_output_room(run->host);
        if (room == 0) return false;
        if (size > room) size = room;
        host_send(run->host, TAIL_FRAMES[which], run->number, bytes, size);
        stream->tail_sent += size;
    }
    return true;
}

/* Everybody is dead: what they printed lies in the pipes, and nobody can write to them any more. */
static void finish(struct run *run) {
    if (run->setup_fd >= 0 || run->streams[0].fd >= 0 || run->streams[1].fd >= 0) return;
    if (!send_tail(run, 0) || !send_tail(run, 1) || !host_has_room(run->host)) return;
    read_result(run);
    report_end(run);
    forget(run);
}

static void watch_time(struct run *run) {
    int64_t now = now_us();
    if (now >= run->deadline_us && run->killed == KILLED_BY_NONE)
        run_kill(run, KILLED_BY_DEADLINE);
    if (now < usage_due_us(&run->usage)) return;
    /* No init looks at a plain job's mounts: they are the launcher's own. */
    if (!run->nested) room_look(run->room);
    usage_watch(&run->usage, run->room, run->nested ? run->first : 0, now);
}

void run_step(struct run *run) {
    if (!run->active) return;
    if (!run->all_dead) {
        watch_time(run);
        reap(run);
    }
    read_setup(run);
    /* The program may be faster than its init: STARTED comes first all the same. */
    for (int i = 0; i < RUN_STREAMS && run->setup_fd < 0; i++) read_stream(run, i);
    if (run->all_dead) finish(run);
}

static int timeout_ms(const struct run *run) {
    if (run->all_dead) return -1;
    int64_t next = run->killed == KILLED_BY_NONE ? run->deadline_us : INT64_MAX;
    if (usage_due_us(&run->usage) < next) next = usage_due_us(&run->usage);
    if (next == INT64_MAX) return -1;
    int64_t left = next - now_us();
    if (left <= 0) return 0;
    /* Rounded up, or poll would return too early, again and again. */
    int64_t ms = (left + US_PER_MS - 1) / US_PER_MS;
    return ms > INT32_MAX ? INT32_MAX : (int)ms;
}

int run_poll(const struct run *run, struct pollfd *fds) {
    for (int i = 0; i < RUN_FDS; i++) fds[i] = (struct pollfd){.fd = -1, .events = POLLIN};
    if (!run->active) return -1;
    fds[0].fd = run->setup_fd;
    for (int i = 0; i < RUN_STREAMS; i++) {
        const struct run_stream *stream = &run->streams[i];
        /* Backpressure: a program waits on its full pipe for as long as the host does not read. */
        bool blocked = stream->output.head_left > 0 && host_output_room(run->host) == 0;
        if (!blocked && run->setup_fd < 0) fds[1 + i].fd = stream->fd;
    }
    return timeout_ms(run);
}
