#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"
#include "filter.h"
#include "isolation.h"
#include "memory.h"

enum { OOM_SCORE_MAX = 1000, OOM_SCORE_INIT = 900, EXIT_REFUSED = 127 };

/* Where the image names none: Debian's. */
static char path_default[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/* Names come from users: whatever could break the one line of a refusal is replaced. */
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

static void close_each(int first, int last) {
    /* Before Linux 5.9 there is no such call. */
    if (first > last || close_range((unsigned)first, (unsigned)last, 0) == 0) return;
    for (int fd = first; fd <= last; fd++) close(fd);
}

/* One call a gap rather than one a descriptor: system calls are what a job's start is made of. */
static void close_all_but(int first, int keep, int keep_too) {
    int low = keep < keep_too ? keep : keep_too, high = keep < keep_too ? keep_too : keep;
    close_each(first, low - 1);
    close_each(low < first ? first : low + 1, high - 1);
    close_each(high + 1, CHILD_FDS_MAX - 1);
}

/* Nothing of the launcher's but these: not its host, its cgroup, or its view of the cell. */
static void keep_only(const struct child_given *given) {
    if (dup2(given->out, STDOUT_FILENO) < 0 || dup2(given->err, STDERR_FILENO) < 0)
        need(given, "output pipes");
    close(STDIN_FILENO);
    close_all_but(STDERR_FILENO + 1, given->setup, given->result);
}

/*
 * A process that is not dumpable has its files in /proc owned by root: it is dumpable for as long
 * as it writes there, while no user code runs.
 */
static void isolate(const struct job *job, const struct child_given *given) {
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0) need(given, "dumpable");
    need(given, isolation_raise_oom_score(job->nested ? OOM_SCORE_INIT : OOM_SCORE_MAX));
    if (job->nested) need(given, isolation_map_ids(given->uid, given->gid));
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) need(given, "not dumpable");
    if (job->nested) need(given, isolation_mount(job, given->uid, given->gid));
    need(given, isolation_take_cpus(job));
    need(given, isolation_drop_capabilities(job->nested));
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) need(given, "no_new_privs");
}

static void lay_files(const struct job *job, const struct child_given *given) {
    need_input(given, files_write(job));
    int input = files_input(job);
    if (input < 0) need_input(given, "standard input");
    /* It is 0 already, the lowest number that was free, and must only outlive the exec. */
    if (input != STDIN_FILENO || fcntl(input, F_SETFD, 0) != 0) need(given, "standard input");
}

/* Their dispositions are the default already, but for the one that the launcher ignores. */
static void unblock_signals(void) {
    sigset_t none;
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* @returns NULL where it is not set */
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

/* As execvp, but without a shell for what is no program, and with a PATH that is not the user's:
 * whatever they set for their program, it is there. */
static void exec_program(const struct job *job) {
    char path[2 * JOB_PATH_BYTES_MAX];
    const char *name = job->argv[0];
    bool denied = false;
    if (strchr(name, '/') != NULL) {
        execve(name, job->argv, job->env);
        return;
    }
    for (const char *folder = path_of_image() + 5; folder != NULL;) {
        int size = (int)strcspn(folder, ":");
        const char *place = size == 0 ? "." : folder;
        int length = snprintf(path, sizeof path, "%.*s/%s", size == 0 ? 1 : size, place, name);
        if (length < (int)sizeof path) {
            execve(path, job->argv, job->env);
            if (errno == EACCES) denied = true;
            else if (errno != ENOENT && errno != ENOTDIR) return;
        }
        folder = folder[size] == ':' ? folder + size + 1 : NULL;
    }
    errno = denied ? EACCES : ENOENT;
}

static _Noreturn void become_program(const struct job *job, const struct child_given *given) {
    char ready[CHILD_READY_BYTES] = {CHILD_READY};
    setsid();
    unblock_signals();
    int64_t now = now_us();
    memcpy(ready + 1, &now, sizeof now);
    if (!write_all(given->setup, ready, sizeof ready)) _exit(EXIT_REFUSED);
    exec_program(job);
    if (errno == ENOENT) refuse(given, "input", "no such program", job->argv[0]);
    refuse(given, "input", job->argv[0], strerror(errno));
}

/*
 * vfork: until its exec the program is in the init's own memory, and the init waits. A fork took
 * a fifth of what the launcher takes in all, for page tables and copies that the exec throws away.
 * Dumpable is the memory's too, so it is taken back before there is user code. A function of its own,
 * so that nothing of its caller's stands in what the program may write.
 */
__attribute__((noinline)) static pid_t start_program(const struct job *job,
                                                     const struct child_given *given) {
    pid_t program = vfork();
    if (program != 0) return program;
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0) need(given, "dumpable");
    need(given, isolation_raise_oom_score(OOM_SCORE_MAX));
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) need(given, "not dumpable");
    close(given->result);
    become_program(job, given);
}

/* Reaps until the program has ended; the kernel kills whatever else is in the namespace then. */
static _Noreturn void be_init(pid_t program, int result_pipe) {
    struct child_result result = {0};
    struct rusage usage = {0};
    pid_t pid;
    do {
        pid = wait4(-1, &result.status, 0, &usage);
    } while (pid != program && !(pid < 0 && errno == ECHILD));
    result.memory_peak_kib = usage.ru_maxrss;
    if (pid == program) write_all(result_pipe, &result, sizeof result);
    _exit(EXIT_SUCCESS);
}

void child_main(struct job *job, unsigned char *payload, size_t payload_size,
                const struct child_given *given) {
    /* Where the launcher is not PID 1 its death would leave the job behind. */
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    umask(022);
    keep_only(given);
    isolate(job, given);
    hand_down_path(job);
    lay_files(job, given);
    if (!filter_install()) need(given, "system call filter");
    if (!job->nested) become_program(job, given);

    pid_t program = start_program(job, given);
    if (program < 0) need(given, "vfork");
    close_all_but(STDIN_FILENO, given->result, given->result);
    memory_give_back(payload, payload_size);
    be_init(program, given->result);
}
