#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "descriptors.h"
#include "files.h"
#include "filter.h"
#include "isolation.h"
#include "memory.h"
#include "signals.h"
#include "snapshot.h"

enum {
    OOM_SCORE_MAX = 1000,
    OOM_SCORE_INIT = 900,
    EXIT_NOT_EXECUTABLE = 126,
    EXIT_NOT_FOUND = 127,
    EXIT_REFUSED = 127
};

/* Used if the image sets none: Debian's default. */
static char path_default[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/* Names come from users: replaces control characters, so that a refusal stays one line. */
static void put_in_one_line(char *text) {
    for (char *c = text; *c != 0; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f) *c = '?';
}

static _Noreturn void refuse(const struct child_given *given, const char *kind, const char *what,
                             const char *why) {
    char line[CHILD_SETUP_BYTES_MAX - 1];
    snprintf(line, sizeof line, "%s: %.200s: %s", kind, what, why);
    put_in_one_line(line);
    write_all(given->setup, line, strlen(line));
    _exit(EXIT_REFUSED);
}

static void need(const struct child_given *given, const char *failed) {
    if (failed != NULL) refuse(given, "isolation", failed, strerror(errno));
}

static void need_input(const struct child_given *given, const char *failed) {
    if (failed == NULL) return;
    bool full = errno == ENOSPC || errno == EDQUOT || errno == ENOMEM;
    refuse(given, "input", failed, full ? "does not fit" : strerror(errno));
}

static void take_streams(const struct child_given *given) {
    if (dup2(given->out, STDOUT_FILENO) < 0 || dup2(given->err, STDERR_FILENO) < 0)
        need(given, "output pipes");
    if (dup2(given->in, STDIN_FILENO) < 0) need(given, "input pipe");
}

/*
 * The /proc files of a process that is not dumpable belong to root. So the process is dumpable while
 * it writes there, before any user code runs.
 */
static void isolate(const struct job *job, const struct child_given *given) {
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0) need(given, "dumpable");
    need(given, isolation_raise_oom_score(job->nested ? OOM_SCORE_INIT : OOM_SCORE_MAX));
    if (job->nested) need(given, isolation_map_ids(given->uid, given->gid));
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) need(given, "not dumpable");
    if (job->nested) need(given, isolation_mount(job, &given->base, given->uid, given->gid));
    need(given, isolation_take_cpus(job));
    need(given, isolation_drop_capabilities(job->nested));
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) need(given, "no_new_privs");
}

/* @returns NULL if it is not set */
static char *path_in(char **env) {
    for (; *env != NULL; env++)
        if (strncmp(*env, "PATH=", 5) == 0) return *env;
    return NULL;
}

static char *path_of_image(void) {
    char *path = path_in(environ);
    return path != NULL ? path : path_default;
}

static void hand_down_path(struct job *job) {
    size_t count = 0;
    if (path_in(job->env) != NULL) return;
    while (job->env[count] != NULL) count++;
    job->env[count] = path_of_image();
}

/* Like execvp, but without the fallback to a shell, and with the image's PATH: the program is found
 * whatever PATH the user sets. */
static void exec_found(char *const *argv, char *const *env) {
    char path[2 * JOB_PATH_BYTES_MAX];
    const char *name = argv[0];
    bool denied = false;
    if (strchr(name, '/') != NULL) {
        execve(name, argv, env);
        return;
    }
    for (const char *folder = path_of_image() + 5; folder != NULL;) {
        int size = (int)strcspn(folder, ":");
        const char *place = size == 0 ? "." : folder;
        int length = snprintf(path, sizeof path, "%.*s/%s", size == 0 ? 1 : size, place, name);
        if (length < (int)sizeof path) {
            execve(path, argv, env);
            if (errno == EACCES) denied = true;
            else if (errno != ENOENT && errno != ENOTDIR) return;
        }
        folder = folder[size] == ':' ? folder + size + 1 : NULL;
    }
    errno = denied ? EACCES : ENOENT;
}

static void say_ready(const struct child_given *given) {
    char mark[CHILD_MARK_BYTES] = {CHILD_READY};
    int64_t time_us = now_us();
    memcpy(mark + 1, &time_us, sizeof time_us);
    if (!write_all(given->setup, mark, sizeof mark)) _exit(EXIT_REFUSED);
}

/* A compiled program that cannot be run ends as in a shell: 126, or 127 if it does not exist. */
static _Noreturn void fail_as_compiled(const char *name) {
    int error = errno;
    dprintf(STDERR_FILENO, "%s: %s\n", name, strerror(error));
    _exit(error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

static _Noreturn void become_program(const struct job *job, const struct child_given *given) {
    setsid();
    signals_reset();
    say_ready(given);
    exec_found(job->argv, job->env);
    if (given->base.program_size > 0) fail_as_compiled(job->argv[0]);
    if (errno == ENOENT) refuse(given, "input", "no such program", job->argv[0]);
    refuse(given, "input", job->argv[0], strerror(errno));
}

/* On OOM, the kernel kills the user's processes before their init. */
static void be_first_to_go(const struct child_given *given) {
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0) need(given, "dumpable");
    need(given, isolation_raise_oom_score(OOM_SCORE_MAX));
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) need(given, "not dumpable");
    if (given->result >= 0) close(given->result);
    if (given->files >= 0) close(given->files);
}

/*
 * vfork: until its exec the program runs in the init's own memory, and the init waits. A fork took
 * a fifth of the launcher's total CPU time, for page tables and copies that the exec throws away.
 * The dumpable flag belongs to the shared memory, so it is cleared before user code runs. This is a
 * separate function, so that the child cannot overwrite its caller's stack frame.
 */
__attribute__((noinline)) static pid_t start_program(const struct job *job, const struct child_given *given) {
    pid_t program = vfork();
    if (program != 0) return program;
    be_first_to_go(given);
    become_program(job, given);
}

/* Reaps children until `wanted` has ended. @returns false if there is no such child */
static bool wait_for(pid_t wanted, struct room *room, struct child_result *result) {
    struct rusage usage;
    pid_t pid;
    do {
        pid = room_wait(room, &result->status, &usage);
        if (pid > 0 && usage.ru_maxrss > result->memory_peak_kib)
            result->memory_peak_kib = usage.ru_maxrss;
    } while (pid != wanted && !(pid < 0 && errno == ECHILD));
    return pid == wanted;
}

static void put_result(const struct child_given *given, const struct child_result *result) {
    write_all(given->result, result, sizeof *result);
}

static void kill_all_others(void) {
    kill(-1, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) continue;
}

/* @param folder -1: it cannot be opened */
static void collect(const struct collect_order *order, int folder, int files) {
    int64_t over_us = now_us();
    if (write_all(files, &over_us, sizeof over_us)) collect_files(order, folder, files);
}

/* When the init exits, the kernel kills all other processes in the namespace. */
static _Noreturn void be_init(pid_t program, const struct child_given *given, const struct collect_order *order) {
    struct child_result result = {0};
    if (wait_for(program, given->room, &result)) {
        put_result(given, &result);
        if (given->files >= 0) {
            kill_all_others();
            /* Its own working folder, wherever the program has moved it. */
            collect(order, open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), given->files);
        }
    }
    _exit(EXIT_SUCCESS);
}

_Noreturn void child_collect(const struct collect_order *order, const char *folder, int files) {
    descriptors_close_all_but(STDIN_FILENO, &files, 1);
    collect(order, open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), files);
    _exit(EXIT_SUCCESS);
}

static _Noreturn void become_init(pid_t program, const struct job *job, unsigned char *payload, size_t payload_size,
                                  const struct child_given *given) {
    const int kept[] = {given->result, given->files};
    descriptors_close_all_but(STDIN_FILENO, kept, 2);
    memory_free(payload, payload_size);
    be_init(program, given, &job->collect);
}

/* Nothing of the user has run when this returns. */
static void prepare(struct job *job, const struct child_given *given) {
    isolate(job, given);
    hand_down_path(job);
    need_input(given, files_write(job, &given->base));
    if (given->base.fd >= 0) close(given->base.fd);
    if (!filter_install()) need(given, "system call filter");
}

static void begin(const struct child_given *given) {
    /* If the launcher is not PID 1, the job would survive its death. */
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    umask(022);
    signals_block_order();
    take_streams(given);
}

void child_main(struct job *job, unsigned char *payload, size_t payload_size,
                const struct child_given *given) {
    begin(given);
    /* None of the launcher's own: host, cgroup files, cell's /proc. */
    const int kept[] = {given->setup, given->result, given->files, given->base.fd};
    descriptors_close_all_but(STDERR_FILENO + 1, kept, 4);
    prepare(job, given);
    if (!job->nested) become_program(job, given);

    pid_t program = start_program(job, given);
    if (program < 0) need(given, "vfork");
    become_init(program, job, payload, payload_size, given);
}

/* As an exec leaves it: dumpable, without the launcher's descriptors and page. The handlers are the interpreter's. */
static void become_preloaded(const struct child_given *given) {
    be_first_to_go(given);
    setsid();
    snapshot_prepare(given->use);
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0) need(given, "dumpable");
    room_unmap(given->room);
    say_ready(given);
    descriptors_close_unnoted();
    signals_unblock_all();
}

void child_preloaded(struct job *job, unsigned char *payload, size_t payload_size,
                     const struct child_given *given) {
    begin(given);
    prepare(job, given);
    /* The init inherits the interpreter's handlers, which must not run there. */
    signals_block_all();
    /* libc's fork, with its handlers: the program uses the interpreter's memory. */
    pid_t program = fork();
    if (program < 0) need(given, "fork");
    if (program == 0) {
        become_preloaded(given);
        return;
    }
    become_init(program, job, payload, payload_size, given);
}
