/*
 * The processes of a cell, each with its /proc/PID/status, which stays open. An open and the
 * first read charge about 6 KiB of kernel memory to the cell, later reads nothing: where the cell is at its limit, the kernel would kill a process
 * for that. So new processes are only looked for while the cell has memory left.
 */
#ifndef LAUNCHER_PROCESSES_H
#define LAUNCHER_PROCESSES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cgroup.h"

/* The launcher may open 256 descriptors (container-spec.ts), and uses fewer than 64 for everything else. */
enum { PROCESSES_MAX = 192 };

/* What one process has, in bytes. */
struct process_memory {
    int64_t anon;
    int64_t file;
    int64_t shmem;
    int64_t text; /* of its executable: processes of one program have the same */
};

struct processes {
    const struct cgroup *cgroup;
    int proc_fd; /* -1: processes cannot be seen */
    int own_fd;  /* the launcher's status */
    int count;
    struct process {
        pid_t pid;
        int status_fd;
    } all[PROCESSES_MAX];
};

/* Call once, while /proc is the cell's. */
void processes_open(struct processes *processes, const struct cgroup *cgroup);

/*
 * Looks for processes that are not known, other than the launcher and `except`.
 * @returns whether all were found: false without memory left, or if there are more than PROCESSES_MAX
 */
bool processes_find(struct processes *processes, const pid_t except[2]);

/* Reads what each has, and forgets those that are gone. @returns how many have memory: a zombie has none */
int processes_read(struct processes *processes, struct process_memory memory[PROCESSES_MAX]);

/* Of any process. Not for samples: it opens a file. */
bool processes_read_pid(const struct processes *processes, pid_t pid, struct process_memory *memory);

/* What the launcher has. @returns false if unknown */
bool processes_read_own(const struct processes *processes, struct process_memory *memory);

/* Forgets all. */
void processes_close(struct processes *processes);

/* Parses /proc/PID/status. @returns false for a process without memory */
bool process_memory_in(const char *text, struct process_memory *memory);

#endif
