/* How much a run stores in its tmpfs, /tmp and /dev/shm, and whether it filled one of them. */
#ifndef LAUNCHER_ROOM_H
#define LAUNCHER_ROOM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

/*
 * One page that the launcher and the init of each job share: the init sees the job's mounts, and the
 * launcher outlives the init. User code cannot write it: a program unmaps it before it runs.
 * During a job, a mark that something was full is never cleared.
 */
struct room {
    int64_t held_bytes; /* at the last check */
    bool tmp_full;
    bool tmp_inodes_full;
    bool shm_full;
    bool shm_inodes_full;
};

/* Returns an empty room, and the descriptor of its page (-1: it has none); NULL if there is no memory. */
struct room *room_create(int *fd);

/* The room of this descriptor, in another program. NULL if there is no memory. */
struct room *room_map(int fd);
void room_unmap(struct room *room);

/* Checks the mounts of the calling process. Costs two system calls. */
void room_check(struct room *room);

/*
 * wait4 for any child, which also checks the room every few milliseconds and at each child's death. Obeys ORDER_TO_END
 * (signals.h). SIGCHLD must be blocked.
 */
pid_t room_wait(struct room *room, int *status, struct rusage *usage);

#endif
