#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "descriptors.h"
#include "isolation.h"
#include "memory.h"
#include "reap.h"
#include "report.h"
#include "signals.h"

enum {
    US_PER_MS = 1000,
    BYTES_PER_MIB = 1024 * 1024,
    /* A pipe's capacity with pages of 4 KiB, pipe(7): one read empties it beyond the head. */
    READ_BYTES_MAX = 64 * 1024,
    /*
     * A program that prints line by line would wake the launcher, the engine and the host for each
     * line. After a read of less than this, more output may accumulate for a moment. Beyond the head,
     * where only the launcher wakes, a pause would stop a program that fills its pipe sooner.
     */
    GATHER_HEAD_BYTES = 16 * 1024,
    GATHER_BEYOND_BYTES = 2 * 1024,
    GATHER_US = 1000,
    /* An init that does not obey the order to end its job within this time is killed. */
    ORDER_US_MAX = 1000000
};

static const enum frame_type HEAD_FRAMES[RUN_STREAMS] = {FRAME_STDOUT, FRAME_STDERR};
static const enum frame_type TAIL_FRAMES[RUN_STREAMS] = {FRAME_STDOUT_TAIL, FRAME_STDERR_TAIL};

static void close_fd(int *fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

/* A pipe whose read end, the launcher's, never blocks; the write end is as programs expect it. */
static bool make_pipe(int *ours, int *theirs) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    *ours = ends[0];
    *theirs = ends[1];
    return *theirs < DESCRIPTORS_MAX && fcntl(*ours, F_SETFL, O_NONBLOCK) == 0;
}

static bool make_file_stream(struct run *run, const struct job *job, struct child_given *given) {
    int ours;
    if (!make_pipe(&ours, &given->files)) return false;
    file_stream_open(&run->files, job, ours, &given->files);
    return true;
}

static bool make_pipes(struct run *run, const struct job *job, struct child_given *given) {
    return input_make_pipe(&run->input, &given->in) && make_pipe(&run->streams[0].fd, &given->out) &&
           make_pipe(&run->streams[1].fd, &given->err) &&
           make_pipe(&run->setup_fd, &given->setup) &&
           (!run->nested || make_pipe(&run->result_fd, &given->result)) &&
           (job->collect.globs.count == 0 || make_file_stream(run, job, given));
}

/* Allocated before the job runs: at its end, no memory may be left. */
static bool take_tails(struct run *run, const struct job *job) {
    for (int i = 0; i < RUN_STREAMS; i++) {
        unsigned char *ring = memory_alloc(job->tail_bytes_max, MEMORY_OWN);
        if (ring == NULL) return false;
        output_begin(&run->streams[i].output, job->head_bytes_max, ring, job->tail_bytes_max);
    }
    return true;
}

static void forget(struct run *run) {
    for (int i = 0; i < RUN_STREAMS; i++) {
        struct run_stream *stream = &run->streams[i];
        close_fd(&stream->fd);
        memory_free(stream->output.ring, stream->output.ring_size);
    }
    close_fd(&run->setup_fd);
    close_fd(&run->result_fd);
    file_stream_close(&run->files);
    input_end(&run->input);
    usage_end(&run->usage);
    struct run idle = {.host = run->host,
                       .cgroup = run->cgroup,
                       .usage = run->usage,
                       .locks = run->locks,
                       .zygote = run->zygote,
                       .base = run->base,
                       .room = run->room};
    explicit_bzero(run, sizeof *run);
    *run = idle;
}

static void end_of_all(struct run *run) {
    run->first = 0;
    run->all_dead = true;
    input_end(&run->input);
    if (file_stream_has_begun(&run->files)) return;
    run->ended_us = now_us();
    run->after = cgroup_read(run->cgroup);
}

/* Only the files are still to come: nothing is measured or limited any more. */
static void end_of_job(struct run *run) {
    run->ended_us = run->files.over_us;
    run->after = cgroup_read(run->cgroup);
    run->deadline_us = run->cpu_time.due_us = INT64_MAX;
    input_end(&run->input);
    usage_end(&run->usage);
}

static int64_t deadline_of(int64_t from_us, uint32_t timeout_ms) {
    return timeout_ms > 0 ? from_us + (int64_t)timeout_ms * US_PER_MS : INT64_MAX;
}

static void begin(struct run *run, const struct job *job) {
    run->active = true;
    run->number = job->number;
    run->nested = job->nested;
    file_stream_begin(&run->files);
    run->setup_fd = run->result_fd = run->streams[0].fd = run->streams[1].fd = -1;
    /* Default if no result arrives: the init was killed, and the program with it. */
    run->result.status = SIGKILL;
    run->before = cgroup_read(run->cgroup);
    run->begun_us = now_us();
    run->timeout_ms = job->timeout_ms;
    run->deadline_us = deadline_of(run->begun_us, job->timeout_ms);
    run->memory_bytes_max = (int64_t)job->memory_mb * BYTES_PER_MIB;
    cpu_time_begin(&run->cpu_time, job->cpu_time_ms_max, job->cpus_milli);
    *run->room = (struct room){0};
    usage_begin(&run->usage);
    if (job->base == JOB_BASE_LAST) usage_release(&run->usage, run->base.base.size);
    if (job->base != JOB_BASE_NONE && job->nested) usage_mount(&run->usage, run->base.base.program_size);
    locks_begin(&run->locks, run->begun_us);
}

void run_open(struct run *run, char **argv) {
    int room_fd;
    run->room = room_create(&room_fd);
    if (run->room == NULL) fatal("no memory for the room");
    zygote_open(&run->zygote, argv, room_fd);
    base_open(&run->base);
}

void run_preload(struct run *run) {
    if (run->active) return;
    zygote_start(&run->zygote);
    usage_set_zygote(&run->usage, run->zygote.pid);
}

static void close_pipes(struct run *run, struct child_given *given) {
    close_fd(&given->in);
    close_fd(&given->out);
    close_fd(&given->err);
    close_fd(&given->setup);
    close_fd(&given->result);
    close_fd(&given->files);
    close_fd(&run->input.fd);
    close_fd(&run->streams[0].fd);
    close_fd(&run->streams[1].fd);
    close_fd(&run->setup_fd);
    close_fd(&run->result_fd);
    file_stream_close(&run->files);
}

/*
 * Lets the zygote start the job. If it is lost, the job has done nothing that anyone could see: it starts again,
 * with other pipes and its whole time.
 * @returns whether the job has an init
 */
static bool clone_preloaded(struct run *run, const struct job *job, struct child_given *given, const char **failed) {
    if (run->zygote.payload_fd < 0) return false;
    pid_t first = zygote_clone(&run->zygote, given);
    run->preloaded = first > 0;
    run->preload_lost = first == 0;
    if (run->preloaded) {
        run->first = first;
        usage_share_zygote(&run->usage);
    } else if (run->preload_lost) {
        usage_set_zygote(&run->usage, 0);
        close_pipes(run, given);
        if (!make_pipes(run, job, given)) *failed = "pipe";
        run->begun_us = now_us();
        run->deadline_us = deadline_of(run->begun_us, run->timeout_ms);
    }
    return run->preloaded;
}

void run_start(struct run *run, struct job *job, unsigned char *payload, size_t payload_size) {
    struct child_given given = {getuid(), getgid(), -1, -1, -1, -1, -1, -1, {.fd = -1}, run->room, NULL};
    const char *failed = NULL;
    begin(run, job);
    if (job->base != JOB_BASE_NONE) given.base = run->base.base;
    if (!input_begin(&run->input, job, payload, payload_size)) failed = "memory for the input";
    else if (!make_pipes(run, job, &given)) failed = "pipe";
    else if (!take_tails(run, job)) failed = "memory for the output";
    if (!job->preload || !job->nested || failed != NULL)
        zygote_withdraw(&run->zygote);
    if (failed == NULL && !clone_preloaded(run, job, &given, &failed) && failed == NULL) {
        /* A zygote that is lost must not take the base with it. */
        given.base.is_last = job->base == JOB_BASE_LAST;
        run->first = isolation_clone(run->nested);
        if (run->first == 0) child_main(job, payload, payload_size, &given);
        if (run->first < 0) failed = "clone";
    }
    if (failed != NULL) {
        run->first = 0;
        run->all_dead = true;
        /* Plain: nobody would close the other end. */
        file_stream_close(&run->files);
        snprintf(run->setup, sizeof run->setup, "isolation: %s: %s", failed, strerror(errno));
        run->setup_size = strlen(run->setup);
    }
    close_fd(&given.in);
    close_fd(&given.out);
    close_fd(&given.err);
    close_fd(&given.setup);
    close_fd(&given.result);
    close_fd(&given.files);
    /* The init has it. */
    if (job->base == JOB_BASE_LAST) base_drop(&run->base);
    input_drop_rest(&run->input);
    input_feed(&run->input);
}

static void kill_all(struct run *run) {
    /* All processes of the namespace die with its init, however many there are. */
    if (!run->nested) kill_everyone();
    else if (run->first > 0) kill(run->first, SIGKILL);
}

/* @returns whether the init has been told to kill all others, so that it can collect their files */
static bool order_end(struct run *run) {
    if (!run->nested || run->first <= 0 || run->files.fd < 0 || !run->started) return false;
    if (run->files.give_up_us != INT64_MAX) return true;
    run->files.give_up_us = now_us() + ORDER_US_MAX;
    return kill(run->first, ORDER_TO_END) == 0;
}

void run_kill(struct run *run, enum run_killer killer) {
    if (!run->active || run->all_dead) return;
    if (run->killed == KILLED_BY_NONE && !file_stream_has_begun(&run->files)) run->killed = killer;
    if (killer == KILLED_BY_HOST || !order_end(run)) kill_all(run);
}

/* Time and memory count from here, without set-up. */
static void program_begins(struct run *run, int64_t at_us) {
    host_send(run->host, FRAME_STARTED, run->number, NULL, 0);
    run->started = true;
    run->started_us = at_us;
    run->deadline_us = deadline_of(at_us, run->timeout_ms);
    if (run->cpu_time.us_max > 0) cpu_time_start(&run->cpu_time, cgroup_cpu_us(run->cgroup), at_us);
    usage_start(&run->usage, at_us);
}

static void take_mark(struct run *run) {
    memcpy(&run->ready_us, run->setup + 1, sizeof run->ready_us);
    run->setup_size -= CHILD_MARK_BYTES;
    memmove(run->setup, run->setup + CHILD_MARK_BYTES, run->setup_size);
}

/* The init closes this pipe a moment after the program's exec. */
static void read_setup(struct run *run) {
    if (run->setup_fd < 0) return;
    ssize_t count;
    do {
        size_t room = sizeof run->setup - 1 - run->setup_size;
        count = read(run->setup_fd, run->setup + run->setup_size, room);
        if (count > 0) run->setup_size += (size_t)count;
        if (run->setup_size >= CHILD_MARK_BYTES && run->setup[0] == CHILD_READY) take_mark(run);
    } while (count > 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    close_fd(&run->setup_fd);
    /* Text after the mark would be the reason why the exec failed. */
    if (run->ready_us > 0 && run->setup_size == 0) program_begins(run, run->ready_us);
}

/* Output of a program that is over is read at once. */
static bool is_gathering(const struct run *run, const struct run_stream *stream, int64_t now) {
    return !run->all_dead && now < stream->gathers_until_us;
}

/* Only one read, so that a program with endless output does not block other work. */
static void read_stream(struct run *run, int which) {
    static unsigned char bytes[READ_BYTES_MAX];
    struct run_stream *stream = &run->streams[which];
    size_t size = sizeof bytes, gather_bytes = GATHER_BEYOND_BYTES;
    if (stream->fd < 0 || is_gathering(run, stream, now_us())) return;
    if (stream->output.head_left > 0) {
        size = host_output_room(run->host);
        gather_bytes = GATHER_HEAD_BYTES;
        if (size == 0) return;
    }
    ssize_t count = read(stream->fd, bytes, size);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) {
        close_fd(&stream->fd);
        return;
    }
    if ((size_t)count < gather_bytes) stream->gathers_until_us = now_us() + GATHER_US;
    size_t head = output_feed(&stream->output, bytes, (size_t)count);
    if (head > 0) host_send(run->host, HEAD_FRAMES[which], run->number, bytes, head);
    explicit_bzero(bytes, (size_t)count);
}

/* No process of the job outlives its init, which waits for those that the kernel kills at its end. */
static void reap_init(struct run *run) {
    struct rusage usage;
    pid_t pid = wait4(run->first, NULL, WNOHANG, &usage);
    if (pid == 0 || (pid < 0 && errno == EINTR)) return;
    /* The usage of a preloaded interpreter does not count as the program's. */
    if (!run->preloaded) usage_reaped(&run->usage, usage.ru_maxrss);
    end_of_all(run);
}

/* @returns whether a process collects the files now, for which the job has to wait */
static bool collect_plain(struct run *run) {
    /* Whether the program has run at all. */
    read_setup(run);
    if (!run->started || run->killed == KILLED_BY_HOST) file_stream_close(&run->files);
    run->collects = file_stream_collect_plain(&run->files);
    return run->collects;
}

static void reap_plain(struct run *run) {
    struct rusage usage;
    int status;
    pid_t pid;
    while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
        if (run->collects) continue;
        usage_reaped(&run->usage, usage.ru_maxrss);
        if (pid != run->first) continue;
        run->first = 0;
        run->result.status = status;
    }
    if (pid < 0 && errno == ECHILD) {
        room_check(run->room);
        if (!collect_plain(run)) end_of_all(run);
    } else if (run->first == 0 && !run->collects) {
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

static bool is_drained(const struct run *run) {
    return run->setup_fd < 0 && run->files.fd < 0 && run->streams[0].fd < 0 && run->streams[1].fd < 0;
}

/* All processes are dead: their remaining output is in the pipes, which have no writer left. */
static void finish(struct run *run) {
    if (!is_drained(run)) return;
    if (!send_tail(run, 0) || !send_tail(run, 1) || !host_has_room(run->host)) return;
    read_result(run);
    report_end(run);
    forget(run);
}

static void watch_time(struct run *run) {
    int64_t now = now_us();
    if (now >= run->files.give_up_us) {
        run->files.give_up_us = INT64_MAX;
        kill_all(run);
    }
    if (file_stream_has_begun(&run->files)) return;
    if (now >= run->deadline_us && run->killed == KILLED_BY_NONE)
        run_kill(run, KILLED_BY_DEADLINE);
    if (locks_watch(&run->locks, now)) run_kill(run, KILLED_BY_LOCKS);
    if (now >= run->cpu_time.due_us &&
        cpu_time_is_reached(&run->cpu_time, cgroup_cpu_us(run->cgroup), now))
        run_kill(run, KILLED_BY_CPU_TIME);
    if (now < usage_due_us(&run->usage)) return;
    /* Plain: there is no init that checks the mounts, but they are the launcher's own. */
    if (!run->nested) room_check(run->room);
    usage_watch(&run->usage, run->room, run->nested ? run->first : 0, now);
}

static bool may_have_printed(const struct run *run) {
    return run->started || run->setup_fd < 0;
}

/* At most one is in the queue, however slowly the host reads. */
static bool can_confirm(const struct run *run) {
    return run->started && input_is_unconfirmed(&run->input) && host_has_sent(run->host, run->confirmation) &&
           host_has_room(run->host);
}

static void confirm_input(struct run *run) {
    unsigned char total[4];
    u32_write(total, input_confirm(&run->input));
    host_send(run->host, FRAME_INPUT, run->number, total, sizeof total);
    run->confirmation = host_mark(run->host);
}

void run_step(struct run *run) {
    if (!run->active) return;
    if (!run->all_dead) {
        watch_time(run);
        if (run->nested) reap_init(run);
        else reap_plain(run);
    }
    input_feed(&run->input);
    read_setup(run);
    if (can_confirm(run)) confirm_input(run);
    if (file_stream_pass(&run->files, run->host, run->number)) end_of_job(run);
    /* The program may be faster than its init, but STARTED must be sent first. */
    for (int i = 0; i < RUN_STREAMS && may_have_printed(run); i++) read_stream(run, i);
    if (run->all_dead) finish(run);
}

static int ms_until(int64_t next) {
    if (next == INT64_MAX) return -1;
    int64_t left = next - now_us();
    if (left <= 0) return 0;
    /* Rounded up, otherwise poll would return too early, repeatedly. */
    int64_t ms = (left + US_PER_MS - 1) / US_PER_MS;
    return ms > INT32_MAX ? INT32_MAX : (int)ms;
}

/* If the queue is not full, only the timeout can wake a step that has more to do. */
static int timeout_ms(const struct run *run, int64_t next) {
    if (run->all_dead) {
        bool can_go_on = is_drained(run) && host_output_room(run->host) > 0;
        return can_go_on ? 0 : -1;
    }
    if (can_confirm(run)) return 0;
    if (run->killed == KILLED_BY_NONE && run->deadline_us < next) next = run->deadline_us;
    if (run->files.give_up_us < next) next = run->files.give_up_us;
    if (usage_due_us(&run->usage) < next) next = usage_due_us(&run->usage);
    if (!file_stream_has_begun(&run->files) && locks_due_us(&run->locks) < next) next = locks_due_us(&run->locks);
    if (run->cpu_time.due_us < next) next = run->cpu_time.due_us;
    return ms_until(next);
}

int run_poll(const struct run *run, struct pollfd *fds) {
    int64_t next = INT64_MAX, now = now_us();
    for (int i = 0; i < RUN_FDS; i++) fds[i] = (struct pollfd){.fd = -1, .events = POLLIN};
    if (!run->active) return -1;
    fds[0].fd = run->setup_fd;
    fds[1] = (struct pollfd){.fd = input_is_waiting(&run->input) ? run->input.fd : -1, .events = POLLOUT};
    if (host_output_room(run->host) > 0 || !file_stream_has_begun(&run->files)) fds[2].fd = run->files.fd;
    for (int i = 0; i < RUN_STREAMS && may_have_printed(run); i++) {
        const struct run_stream *stream = &run->streams[i];
        /* Backpressure: a program blocks on its full pipe as long as the host does not read. */
        bool is_blocked = stream->output.head_left > 0 && host_output_room(run->host) == 0;
        if (stream->fd < 0 || is_blocked) continue;
        if (!is_gathering(run, stream, now)) fds[3 + i].fd = stream->fd;
        else if (stream->gathers_until_us < next) next = stream->gathers_until_us;
    }
    return timeout_ms(run, next);
}
