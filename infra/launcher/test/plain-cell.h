/* A launcher in plain mode, which needs no privileges: TEST LAUNCHER. */
#ifndef LAUNCHER_TEST_PLAIN_CELL_H
#define LAUNCHER_TEST_PLAIN_CELL_H

#include "cell.h"

#include <stdio.h>

#define SH(script) \
    (const char *const[]) { "sh", "-c", script, NULL }

static const char *launcher;
static struct cell cell;
static char root[] = "/tmp/launcher-test-XXXXXX";
static uint32_t last_number;

static inline void send_job(struct job_spec spec) {
    static struct job_bytes bytes;
    static const char *const env[] = {"PATH=/usr/bin:/bin", NULL};
    char folder[64];
    spec.number = ++last_number;
    snprintf(folder, sizeof folder, "%s/%u", root, spec.number);
    spec.folder = folder;
    if (spec.env == NULL) spec.env = env;
    if (spec.head_max == 0) spec.head_max = 65536;
    put_job(&bytes, &spec);
    cell_send(&cell, FRAME_JOB, bytes.bytes, bytes.size);
}

static inline void send_base(struct base_spec spec) {
    static struct job_bytes bytes;
    put_base(&bytes, &spec);
    cell_send(&cell, FRAME_BASE, bytes.bytes, bytes.size);
}

static inline const struct answer *run(struct job_spec spec) {
    send_job(spec);
    const struct answer *answer = cell_answer(&cell);
    CHECK(answer->number == last_number);
    CHECK(answer->types[0] == FRAME_STARTED || answer->types[0] == FRAME_REFUSED);
    return answer;
}

static inline const struct answer *run_sh(const char *script) {
    return run((struct job_spec){.argv = SH(script)});
}

/* With an interpreter to preload: a script of sh, whose descriptor 3 is the socket; NULL: none. */
static inline void start(const char *script) {
    const char *const argv[] = {launcher, script == NULL ? NULL : "/bin/sh", "sh", "-c", script, NULL};
    cell_start(&cell, argv);
}

static inline void says_hello(void) {
    static unsigned char payload[FRAME_OUT_BYTES_MAX + 1];
    char type;
    size_t size = cell_frame(&cell, &type, payload);
    payload[size] = 0;
    CHECK(type == FRAME_HELLO && size > 11 && memcmp(payload, "protocol=6\n", 11) == 0);
}

static inline void begin(int argc, char **argv) {
    CHECK(argc == 2);
    launcher = argv[1];
    signal(SIGPIPE, SIG_IGN);
    CHECK(mkdtemp(root) != NULL);
    CHECK(setenv("PATH", "/usr/bin:/bin", 1) == 0);
    start(NULL);
    says_hello();
}

static inline void remove_root(void) {
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", root);
    CHECK(system(command) == 0);
}

#endif
