/*
 * PID 1 of a cell: takes jobs from the host, one after another, and runs each in its own namespaces.
 * README.md describes the protocol.
 */
#include <errno.h>
#include <inttypes.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cgroup.h"
#include "clock.h"
#include "host.h"
#include "isolation.h"
#include "job.h"
#include "reap.h"
#include "run.h"
#include "view.h"

enum {
    PROTOCOL = 6,
    /* How long sending the last frames may take after the host has closed our input. */
    GOODBYE_US = 2000000,
    GOODBYE_POLL_MS = 50,
    /* A base leaves this much of the cell's memory for the launcher, and for the init of a job. */
    BASE_BYTES_BESIDE = 512 * 1024
};

enum { ON_INPUT, ON_OUTPUT, ON_DEATH, ON_RUN, ON_ALL = ON_RUN + RUN_FDS };

/* Uses the system call: libc reserves signals 32 and 33, which a parent (make) may have ignored. */
static void reset_signals(void) {
    static const unsigned long as_at_birth[8]; /* struct kernel_sigaction, SIG_DFL */
    /* Signals that cannot be set return an error; their disposition is right already. */
    for (int number = 1; number < _NSIG; number++)
        syscall(SYS_rt_sigaction, number, as_at_birth, NULL, _NSIG / 8);
    signal(SIGPIPE, SIG_IGN);
}

/* @returns a descriptor that becomes readable when a child dies */
static int prepare(void) {
    sigset_t child;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0) fatal("a standard descriptor is closed");
    /* Kernels before 5.9 lack it, but a cell's launcher gets no other descriptors anyway. */
    close_range(STDERR_FILENO + 1, ~0U, 0);
    isolation_log_in();
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) fatal("cannot become undumpable");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fatal("no_new_privs is not to be had");
    if (getpid() != 1 && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
        fatal("cannot become a subreaper");
    if (chdir("/") != 0) fatal("cannot enter /");
    view_open();
    reset_signals();
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    int signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0) fatal("no signalfd");
    return signals;
}

static void say_hello(struct host *host, const struct cgroup *cgroup) {
    char text[512];
    struct utsname system;
    if (uname(&system) != 0) fatal("uname failed");
    snprintf(text, sizeof text,
             "protocol=%d\ncgroup=%s\nkernel_memory=%" PRId64
             "\npid=%d\nuid=%u\ngid=%u\nkernel=%s\nmachine=%s\n",
             PROTOCOL, cgroup->version, cgroup_kernel_bytes(cgroup),
             (int)getpid(), (unsigned)getuid(), (unsigned)getgid(), system.release, system.machine);
    host_send_plain(host, FRAME_HELLO, text);
}

/* @returns the refusal if the job asks for a base, and there is none */
static const char *choose_base(struct base_holder *base, const struct job *job) {
    if (job->base == JOB_BASE_NONE) base_drop(base);
    return job->base == JOB_BASE_NONE || base->base.fd >= 0 ? NULL : base->fault;
}

static void start_job(struct host *host, struct run *run) {
    static struct job job;
    struct frame_reader *frame = &host->reader;
    if (!run->active) zygote_offer(&run->zygote, frame->payload, frame->payload_size);
    const char *refusal = job_decode(&job, frame->payload, frame->payload_size);
    if (refusal == NULL && run->active) refusal = "malformed: another job is running";
    if (refusal == NULL) refusal = choose_base(&run->base, &job);
    if (refusal != NULL) {
        zygote_withdraw(&run->zygote);
        host_send_text(host, FRAME_REFUSED, job.number, refusal);
    } else {
        run_start(run, &job, frame->payload, frame->payload_size);
        frame->payload = NULL;
    }
    explicit_bzero(&job, sizeof job);
}

/* The one before goes first: there may not be memory for both. */
static enum frame_state receive_base(struct host *host, struct run *run) {
    int64_t size = (int64_t)host->reader.payload_size, needed = size + BASE_BYTES_BESIDE;
    const char *fault = NULL;
    base_drop(&run->base);
    if (run->active) fault = "malformed: the base arrived while a job ran";
    else if (cgroup_bytes_left(run->cgroup, needed) < needed)
        fault = "input: the base does not fit the memory of its cell";
    return frame_receive(&host->reader, base_receive(&run->base, (size_t)size, fault));
}

static void add_input(const struct frame_reader *frame, struct run *run) {
    const unsigned char *bytes = frame->payload + FRAME_NUMBER_BYTES;
    size_t size = frame->payload_size - FRAME_NUMBER_BYTES;
    bool is_running = run->active && u32_read(frame->payload) == run->number;
    if (is_running && !input_add(&run->input, bytes, size)) fatal("malformed frame");
}

static void obey(struct host *host, struct run *run) {
    switch (frame_type(&host->reader)) {
    case FRAME_JOB:
        start_job(host, run);
        break;
    case FRAME_BASE:
        base_received(&run->base);
        break;
    case FRAME_INPUT:
        add_input(&host->reader, run);
        break;
    case FRAME_PRELOAD:
        run_preload(run);
        host_send_plain(host, FRAME_PRELOAD, run->zygote.state);
        break;
    default:
        if (run->active && u32_read(host->reader.payload) == run->number) run_kill(run, KILLED_BY_HOST);
    }
    frame_reset(&host->reader);
}

static void listen_to(struct host *host, struct run *run) {
    enum frame_state state = host_read(host);
    if (state == FRAME_BASE_BEGINS) state = receive_base(host, run);
    if (state == FRAME_COMPLETE) obey(host, run);
    if (host->ended) base_drop(&run->base);
}

/* @returns whether the host has disconnected and nothing is left to do */
static bool is_over(struct host *host, struct run *run, int64_t *goodbye_us) {
    if (!host->ended) return false;
    if (*goodbye_us == 0) *goodbye_us = now_us() + GOODBYE_US;
    run_kill(run, KILLED_BY_HOST);
    return (!run->active && host_is_flushed(host)) || now_us() > *goodbye_us;
}

static void wait_for_something(struct host *host, const struct run *run, int signals,
                               struct pollfd *fds) {
    int timeout = run_poll(run, fds + ON_RUN);
    fds[ON_INPUT] = (struct pollfd){.fd = host->ended ? -1 : STDIN_FILENO, .events = POLLIN};
    fds[ON_OUTPUT] =
        (struct pollfd){.fd = host_is_flushed(host) ? -1 : STDOUT_FILENO, .events = POLLOUT};
    fds[ON_DEATH] = (struct pollfd){.fd = signals, .events = POLLIN};
    if (host->ended) timeout = GOODBYE_POLL_MS;
    if (poll(fds, ON_ALL, timeout) < 0 && errno != EINTR) fatal("poll failed");
}

/* Arguments: the zygote's program, its name and its arguments (zygote.h), or none. */
int main(int argc, char **argv) {
    static struct host host;
    static struct cgroup cgroup;
    static struct run run;
    struct pollfd fds[ON_ALL];
    struct signalfd_siginfo ignored;
    int64_t goodbye_us = 0;

    int signals = prepare();
    host_open(&host);
    cgroup_open(&cgroup);
    run = (struct run){.host = &host, .cgroup = &cgroup};
    usage_open(&run.usage, &cgroup);
    locks_open(&run.locks);
    run_open(&run, argv + (argc > 0));
    say_hello(&host, &cgroup);

    while (!is_over(&host, &run, &goodbye_us)) {
        host_flush(&host);
        wait_for_something(&host, &run, signals, fds);
        /* The signal only wakes the loop; wait(2) returns which child died. */
        if (fds[ON_DEATH].revents != 0 && read(signals, &ignored, sizeof ignored) < 0) continue;
        if (fds[ON_INPUT].revents != 0) listen_to(&host, &run);
        run_step(&run);
    }
    end_everyone();
    return EXIT_SUCCESS;
}
