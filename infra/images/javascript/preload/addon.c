/*
 * A preloaded Node (infra/launcher/serve.h, preload.cjs): the fork, and what a forked Node must renew.
 *
 * N-API only, and two functions of the libraries that node contains and exports.
 */
#define _GNU_SOURCE
#include <node_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "renew-clocks.h"
#include "renew-descriptors.h"
#include "serve.h"

enum { EXIT_FAILED = 70, MAPS_LINE_BYTES_MAX = 8192, NOTE_BYTES_MAX = 4096 };

/* https://docs.libuv.org/en/v1.x/loop.html, openssl RAND_poll(3). */
extern int uv_loop_fork(struct uv_loop_s *loop);
extern void uv_update_time(struct uv_loop_s *loop);
extern int RAND_poll(void);

static char *const SAMPLE[] = {"node", "/usr/local/lib/voidrunner/preload/program.cjs", NULL};

/* Node's own (env.h, ExitInfoField): whether it exits, the exit code, whether there is one. */
static const int32_t *exit_info;

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
    serve_exit(exit_info[2] ? exit_info[1] : EXIT_SUCCESS);
}

/* serve(exitInfo, milestones): waits for jobs. Returns the arguments of one, in the process that becomes its program. */
static napi_value serve(napi_env env, napi_callback_info info) {
    struct uv_loop_s *loop;
    size_t count = 2;
    double *milestones;
    napi_value own[2];
    if (napi_get_uv_event_loop(env, &loop) != napi_ok) fail("no event loop");
    if (napi_get_cb_info(env, info, &count, own, NULL, NULL) != napi_ok ||
        napi_get_typedarray_info(env, own[0], NULL, NULL, (void **)&exit_info, NULL, NULL) != napi_ok ||
        napi_get_typedarray_info(env, own[1], NULL, &count, (void **)&milestones, NULL, NULL) != napi_ok)
        fail("no exit info or milestones");
    clocks_find(milestones, count);
    inherit_all_memory();
    descriptors_note_shared();
    struct program program = serve_jobs(SAMPLE);
    descriptors_renew();
    if (uv_loop_fork(loop) != 0) fail("uv_loop_fork");
    uv_update_time(loop);
    clocks_renew();
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
