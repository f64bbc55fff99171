/*
 * Linked into a preloaded interpreter (zygote.h): waits for jobs, and becomes the program of each.
 *
 * The interpreter must have one thread, no file of its own, no secret, and nothing of any job. It calls
 * serve_jobs once, with an initialised interpreter.
 */
#ifndef LAUNCHER_SERVE_H
#define LAUNCHER_SERVE_H

struct program {
    char **argv; /* argv[0] is the interpreter's name; on the heap */
    char **env;  /* NAME=value; on the heap */
};

/*
 * `sample` are the arguments of a program that does what most do. It runs first, in a fork, in / and with its streams
 * at /dev/null, and not isolated: the pages that it uses are ready for each job's program (snapshot.h).
 *
 * Returns once for the sample, and once for each job, in a process of its own: forked from the job's init, isolated,
 * with the job's standard streams, working folder and environment (`environ`), like a program after its exec. The
 * process has the zygote's memory and signal handlers. Its threads are gone: what waits for them at an exit must not run.
 * The zygote itself never returns: it exits when the launcher does.
 */
struct program serve_jobs(char *const *sample);

/* Ends the program, instead of exit(3). */
_Noreturn void serve_exit(int code);

#endif
