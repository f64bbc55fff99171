#define _GNU_SOURCE
#include "buffer.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    CAPACITY = 64 * 1024,
    WRITES_MAX = 64,
    WINDOW_MS = 10,
    FLUSH_AFTER_MS = 5,
    NS_PER_MS = 1000000,
    NS_PER_S = 1000000000,
    THREAD_STACK_BYTES = 64 * 1024,
    GONE_TRIES_MAX = 1000,
    SIGNAL_STACK_BYTES = 16 * 1024
};

struct stream {
    pthread_mutex_t lock;
    int64_t window_begun_ms;
    int writes_left; /* of this window, at once */
    size_t size;
    char bytes[CAPACITY];
};

static struct stream streams[STREAMS] = {
    {.lock = PTHREAD_MUTEX_INITIALIZER},
    {.lock = PTHREAD_MUTEX_INITIALIZER},
};

/* Guards what follows; taken after a stream's lock, never before one. */
static pthread_mutex_t flusher_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t flusher_wake; /* by the monotonic clock */
static pthread_t flusher;
static pid_t flusher_id;
static bool flusher_runs;
static bool flusher_asked;
static bool flusher_to_end;

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* All of it, also to a pipe that somebody made non-blocking. */
static int write_out(int fd, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t count = write(fd, bytes, size);
        if (count < 0 && errno == EAGAIN) poll(&(struct pollfd){fd, POLLOUT, 0}, 1, -1);
        else if (count < 0 && errno != EINTR) return errno;
        if (count <= 0) continue;
        bytes += count;
        size -= (size_t)count;
    }
    return 0;
}

static int write_gathered(int stream) {
    struct stream *to = &streams[stream];
    int error = write_out(STDOUT_FILENO + stream, to->bytes, to->size);
    to->size = 0;
    return error;
}

/* A signal to the condition ends the pause: a fork does not wait for it. */
static void pause_flusher(void) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += FLUSH_AFTER_MS * NS_PER_MS;
    until.tv_sec += until.tv_nsec / NS_PER_S;
    until.tv_nsec %= NS_PER_S;
    while (!flusher_to_end &&
           pthread_cond_timedwait(&flusher_wake, &flusher_lock, &until) != ETIMEDOUT) continue;
}

static void *flush_in_time(void *nothing) {
    pthread_mutex_lock(&flusher_lock);
    flusher_id = (pid_t)syscall(SYS_gettid);
    while (!flusher_to_end) {
        if (!flusher_asked) {
            pthread_cond_wait(&flusher_wake, &flusher_lock);
            continue;
        }
        flusher_asked = false;
        pause_flusher();
        pthread_mutex_unlock(&flusher_lock);
        for (int i = 0; i < STREAMS; i++) buffer_flush(i);
        pthread_mutex_lock(&flusher_lock);
    }
    pthread_mutex_unlock(&flusher_lock);
    return nothing;
}

/* Signals are the program's: none of them is handled here. */
static bool start_flusher(void) {
    pthread_attr_t attributes;
    sigset_t all, before;
    if (pthread_attr_init(&attributes) != 0) return false;
    pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&flusher, &attributes, flush_in_time, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return started;
}

/* @returns false where there is no thread to be had: nothing may be left to it then */
static bool ask_flusher(void) {
    pthread_mutex_lock(&flusher_lock);
    if (!flusher_runs) {
        flusher_to_end = false;
        flusher_runs = start_flusher();
    }
    bool runs = flusher_runs;
    flusher_asked = true;
    pthread_cond_signal(&flusher_wake);
    pthread_mutex_unlock(&flusher_lock);
    return runs;
}

static bool may_write_at_once(struct stream *to) {
    if (to->writes_left == 0) {
        int64_t now = now_ms();
        if (now - to->window_begun_ms < WINDOW_MS) return false;
        to->window_begun_ms = now;
        to->writes_left = WRITES_MAX;
    }
    to->writes_left--;
    return true;
}

/* @returns whether it could be gathered; the lock is held */
static bool gather(struct stream *to, const char *bytes, size_t size) {
    if (size > CAPACITY - to->size) return false;
    if (to->size == 0 && (may_write_at_once(to) || !ask_flusher())) return false;
    memcpy(to->bytes + to->size, bytes, size);
    to->size += size;
    return true;
}

bool buffer_try(int stream, const char *bytes, size_t size) {
    struct stream *to = &streams[stream];
    if (pthread_mutex_trylock(&to->lock) != 0) return false;
    bool gathered = to->size > 0 && size <= CAPACITY - to->size;
    if (gathered) {
        memcpy(to->bytes + to->size, bytes, size);
        to->size += size;
    }
    pthread_mutex_unlock(&to->lock);
    return gathered;
}

int buffer_write(int stream, const char *bytes, size_t size) {
    struct stream *to = &streams[stream];
    int error = 0;
    pthread_mutex_lock(&to->lock);
    if (!gather(to, bytes, size)) {
        error = write_gathered(stream);
        if (error == 0) error = write_out(STDOUT_FILENO + stream, bytes, size);
    }
    pthread_mutex_unlock(&to->lock);
    return error;
}

int buffer_flush(int stream) {
    struct stream *to = &streams[stream];
    pthread_mutex_lock(&to->lock);
    int error = write_gathered(stream);
    pthread_mutex_unlock(&to->lock);
    return error;
}

bool buffer_pending(int stream) {
    struct stream *to = &streams[stream];
    if (pthread_mutex_trylock(&to->lock) != 0) return true;
    bool pending = to->size > 0;
    pthread_mutex_unlock(&to->lock);
    return pending;
}

/* A thread that was joined is counted for a moment longer, and Python warns of a fork beside threads. */
static void await_gone(pid_t thread) {
    for (int i = 0; i < GONE_TRIES_MAX && syscall(SYS_tgkill, getpid(), thread, 0) == 0; i++)
        nanosleep(&(struct timespec){0, NS_PER_MS / 20}, NULL);
}

static void end_flusher(void) {
    pthread_mutex_lock(&flusher_lock);
    bool runs = flusher_runs;
    flusher_runs = false;
    flusher_to_end = true;
    pthread_cond_signal(&flusher_wake);
    pthread_mutex_unlock(&flusher_lock);
    if (!runs) return;
    pthread_join(flusher, NULL);
    await_gone(flusher_id);
}

static void reset_condition(void) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&flusher_wake, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* The locks stay held over the fork: no other thread can leave bytes that the child would repeat. */
static void before_fork(void) {
    end_flusher();
    for (int i = 0; i < STREAMS; i++) {
        pthread_mutex_lock(&streams[i].lock);
        write_gathered(i);
    }
    pthread_mutex_lock(&flusher_lock);
}

static void after_fork_in_parent(void) {
    pthread_mutex_unlock(&flusher_lock);
    for (int i = STREAMS - 1; i >= 0; i--) pthread_mutex_unlock(&streams[i].lock);
}

static void after_fork_in_child(void) {
    flusher_runs = false;
    reset_condition();
    after_fork_in_parent();
}

static void flush_at_exit(void) {
    for (int i = 0; i < STREAMS; i++) buffer_flush(i);
}

/* One that strikes while a stream is written finds its lock taken, and leaves it. */
static void die_flushed(int signal_number) {
    for (int i = 0; i < STREAMS; i++)
        if (pthread_mutex_trylock(&streams[i].lock) == 0) write_gathered(i);
    raise(signal_number);
}

static void catch_faults(void) {
    static char stack_bytes[SIGNAL_STACK_BYTES];
    static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    stack_t stack = {.ss_sp = stack_bytes, .ss_size = sizeof stack_bytes};
    struct sigaction action = {.sa_handler = die_flushed,
                               .sa_flags = SA_ONSTACK | SA_RESETHAND | SA_NODEFER};
    sigaltstack(&stack, NULL);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) sigaction(faults[i], &action, NULL);
}

void buffer_install(void) {
    reset_condition();
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    atexit(flush_at_exit);
    catch_faults();
}
