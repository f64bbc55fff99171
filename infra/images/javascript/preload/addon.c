/*
 * A preloaded Node (infra/launcher/serve.h, preload.cjs): the fork, and what a forked Node must renew.
 *
 * N-API only, and two functions of the libraries that node contains and exports.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <node_api.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "serve.h"

enum { EXIT_FAILED = 70, FDS_MAX = 256, MAPS_LINE_BYTES_MAX = 8192, NOTE_BYTES_MAX = 4096, NS_PER_US = 1000, TIME_ORIGINS = 3, NS_PER_S = 1000000000 };

/* https://docs.libuv.org/en/v1.x/loop.html, openssl RAND_poll(3). */
extern int uv_loop_fork(struct uv_loop_s *loop);
extern void uv_update_time(struct uv_loop_s *loop);
extern int RAND_poll(void);

enum kind { NONE, EVENTFD, EPOLL };

/* Node's own (env.h, ExitInfoField): whether it exits, the exit code, whether there is one. */
static const int32_t *exit_info;

/*
 * Node's own (node_perf_common.h): the wall clock at its start, in microseconds; then moments in nanoseconds of the
 * monotonic clock: the origin of its clocks, the environment, node's start, and others; -1: not reached.
 */
static double *milestones;
static size_t milestone_count;
static uint64_t *time_origins[TIME_ORIGINS];
static int time_origin_count;

/* Of the zygote, from the third on. The forked process shares them. */
static enum kind kinds[FDS_MAX];
static char noted[NOTE_BYTES_MAX];

static _Noreturn void fail(const char *what) {
    fprintf(stderr, "preload: %s\n", what);
    _exit(EXIT_FAILED);
}

/* V8 marks its heap MADV_DONTFORK. */
static void inherit_all_memory(void) {
    static char line[MAPS_LINE_BYTES_MAX];
    FILE *maps = fopen("/proc/self/maps", "re");
    unsigned long begin, end;
    if (maps == NULL) fail("no /proc/self/maps");
    while (fgets(line, sizeof line, maps) != NULL) {
        /* The kernel's own pages, [vvar] and [vsyscall], refuse it. */
        if (sscanf(line, "%lx-%lx", &begin, &end) == 2 && strstr(line, "[v") == NULL &&
            madvise((void *)begin, end - begin, MADV_DOFORK) != 0)
            fail("MADV_DOFORK");
    }
    fclose(maps);
}

static enum kind kind_of(int fd) {
    char path[64], target[64] = "";
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (readlink(path, target, sizeof target - 1) < 0) return NONE;
    if (strcmp(target, "anon_inode:[eventfd]") == 0) return EVENTFD;
    if (strcmp(target, "anon_inode:[eventpoll]") == 0) return EPOLL;
    /* libuv's signal pipe: its own handler of fork makes a new one. The launcher's two are closed by serve.c. */
    if (strncmp(target, "pipe:", 5) == 0 || strncmp(target, "socket:", 7) == 0 ||
        strncmp(target, "/memfd:room", 11) == 0 || strcmp(target, "/dev/null") == 0)
        return NONE;
    fprintf(stderr, "preload: descriptor %d is %s\n", fd, target);
    _exit(EXIT_FAILED);
}

static void note_descriptors(void) {
    for (int fd = STDERR_FILENO + 1; fd < FDS_MAX; fd++) kinds[fd] = kind_of(fd);
}

/* With a shared one, a program could wake the zygote, or make it abort. */
static void renew_descriptors(void) {
    for (int fd = STDERR_FILENO + 1; fd < FDS_MAX; fd++) {
        if (kinds[fd] == NONE) continue;
        int fresh = kinds[fd] == EVENTFD ? eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : epoll_create1(EPOLL_CLOEXEC);
        if (fresh < 0 || dup3(fresh, fd, O_CLOEXEC) < 0) fail("descriptors");
        close(fresh);
    }
}

static uint64_t now_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/*
 * performance.now() and process.uptime() count from numbers that nothing exports: two of the process, and one in
 * the middle of node::Environment. They are where these numbers of nanoseconds are, in node's data or on the C heap.
 * Unless all are found, these clocks count from the zygote's start.
 */
static void find_time_origins(uint64_t origin, uint64_t start) {
    static char line[MAPS_LINE_BYTES_MAX];
    FILE *maps = fopen("/proc/self/maps", "re");
    unsigned long begin, end;
    bool is_heap = false;
    while (maps != NULL && !is_heap && fgets(line, sizeof line, maps) != NULL) {
        if (sscanf(line, "%lx-%lx rw-p", &begin, &end) != 2 || strstr(line, " rw-p ") == NULL) continue;
        is_heap = strstr(line, "[heap]") != NULL;
        for (uint64_t *at = (uint64_t *)begin; at < (uint64_t *)end; at++)
            if ((*at == origin || *at == start) && time_origin_count < TIME_ORIGINS)
                time_origins[time_origin_count++] = at;
    }
    if (maps != NULL) fclose(maps);
}

/* A program starts now. */
static void renew_clocks(void) {
    uint64_t now = now_ns(CLOCK_MONOTONIC);
    if (time_origin_count < TIME_ORIGINS) return;
    for (int i = 0; i < TIME_ORIGINS; i++) *time_origins[i] = now;
    milestones[0] = (double)(now_ns(CLOCK_REALTIME) / NS_PER_US);
    for (size_t i = 1; i < milestone_count; i++)
        if (milestones[i] > 0) milestones[i] = (double)now;
}

static napi_value strings(napi_env env, char **texts) {
    napi_value list, text;
    napi_create_array(env, &list);
    for (uint32_t i = 0; texts[i] != NULL; i++) {
        napi_create_string_utf8(env, texts[i], NAPI_AUTO_LENGTH, &text);
        napi_set_element(env, list, i, text);
    }
    return list;
}

/*
 * Node frees all that it has, after the program's last listener. Here the process ends: freeing copies every page
 * that is shared with the zygote.
 */
static void end(void *nothing) {
    (void)nothing;
    exit(exit_info[2] ? exit_info[1] : EXIT_SUCCESS);
}

/* serve(exitInfo, milestones): waits for jobs. Returns the arguments of one, in the process that becomes its program. */
static napi_value serve(napi_env env, napi_callback_info info) {
    struct uv_loop_s *loop;
    size_t count = 2;
    napi_value own[2];
    if (napi_get_uv_event_loop(env, &loop) != napi_ok) fail("no event loop");
    if (napi_get_cb_info(env, info, &count, own, NULL, NULL) != napi_ok ||
        napi_get_typedarray_info(env, own[0], NULL, NULL, (void **)&exit_info, NULL, NULL) != napi_ok ||
        napi_get_typedarray_info(env, own[1], NULL, &milestone_count, (void **)&milestones, NULL, NULL) != napi_ok)
        fail("no exit info or milestones");
    find_time_origins((uint64_t)milestones[1], (uint64_t)milestones[3]);
    inherit_all_memory();
    note_descriptors();
    struct program program = serve_jobs();
    renew_descriptors();
    if (uv_loop_fork(loop) != 0) fail("uv_loop_fork");
    uv_update_time(loop);
    renew_clocks();
    /* OpenSSL notices a fork by the pid, which may be the zygote's, in another namespace. */
    if (RAND_poll() != 1) fail("RAND_poll");
    napi_add_env_cleanup_hook(env, end, NULL);
    return strings(env, program.argv);
}

/* The program's pid. */
static napi_value pid(napi_env env, napi_callback_info info) {
    napi_value value;
    (void)info;
    napi_create_int32(env, getpid(), &value);
    return value;
}

/* A positive int32, never the same. */
static napi_value random_seed(napi_env env, napi_callback_info info) {
    uint32_t seed;
    napi_value value;
    (void)info;
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed) fail("getrandom");
    napi_create_uint32(env, (seed >> 1) | 1, &value);
    return value;
}

/* note(text): keeps it for the process's worker threads. */
static napi_value note(napi_env env, napi_callback_info info) {
    size_t count = 1;
    napi_value text;
    if (napi_get_cb_info(env, info, &count, &text, NULL, NULL) != napi_ok ||
        napi_get_value_string_utf8(env, text, noted, sizeof noted, NULL) != napi_ok)
        fail("note");
    return NULL;
}

/* What was noted; empty before. */
static napi_value get_note(napi_env env, napi_callback_info info) {
    napi_value text;
    (void)info;
    napi_create_string_utf8(env, noted, NAPI_AUTO_LENGTH, &text);
    return text;
}

NAPI_MODULE_INIT() {
    const napi_property_descriptor functions[] = {
        {"serve", NULL, serve, NULL, NULL, NULL, napi_default, NULL},
        {"pid", NULL, pid, NULL, NULL, NULL, napi_default, NULL},
        {"randomSeed", NULL, random_seed, NULL, NULL, NULL, napi_default, NULL},
        {"note", NULL, note, NULL, NULL, NULL, napi_default, NULL},
        {"noted", NULL, get_note, NULL, NULL, NULL, napi_default, NULL},
    };
    napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
    return exports;
}
