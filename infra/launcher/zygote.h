/*
 * A preloaded interpreter: a child of the launcher that has initialised an interpreter and waits (serve.h).
 * Each job's init is cloned from it, so its program need not start the interpreter. The host says when it
 * is started: once, while no job runs. Without it, programs are exec'ed.
 */
#ifndef LAUNCHER_ZYGOTE_H
#define LAUNCHER_ZYGOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "child.h"

enum {
    /* Descriptors of the zygote: a socket to the launcher, and the page of the room. */
    ZYGOTE_SOCKET_FD = 3,
    ZYGOTE_ROOM_FD = 4,
    /* What it sends when it is ready. Then, for each job, it sends an int32_t: the init's pid, or -errno. */
    ZYGOTE_READY = '!',
    /* A larger job is exec'ed: its payload would be in memory three times. */
    ZYGOTE_JOB_BYTES_MAX = 1024 * 1024
};

/* With a job's order, these descriptors are passed, in this order, without those that the job does not have. */
enum {
    ZYGOTE_IN,
    ZYGOTE_OUT,
    ZYGOTE_ERR,
    ZYGOTE_SETUP,
    ZYGOTE_RESULT,
    ZYGOTE_PAYLOAD, /* a file in memory: the payload of the job's frame. Only the job's init reads it. */
    ZYGOTE_FILES,   /* if the host wants files */
    ZYGOTE_BASE,    /* if the job has a base. Only the job's init reads it. */
    ZYGOTE_FDS
};

struct zygote_order {
    uint32_t payload_size;
    bool has_files;
    struct base base; /* without its descriptor; fd -1: there is none */
};

struct zygote {
    char **argv;       /* what it is started with; NULL once it has been */
    int room_fd;       /* -1 likewise */
    const char *state; /* for the host: "none", "ready" or "failed" */
    pid_t pid;         /* 0: there is none */
    int socket;
    int payload_fd; /* of the next job; -1: it is exec'ed */
};

/*
 * What zygote_start will start: the program argv[0] with the arguments argv[1], argv[2], ... (argv[1] is its
 * name), or nothing. Takes the descriptor.
 */
void zygote_open(struct zygote *zygote, char **argv, int room_fd);

/* Waits until it is ready, for at most 10 s. Does nothing the second time. */
void zygote_start(struct zygote *zygote);

/* Keeps a copy of the payload for zygote_clone, unless there is no zygote. Call it before the payload is decoded. */
void zygote_offer(struct zygote *zygote, const unsigned char *payload, size_t size);

/* Withdraws the offered payload. */
void zygote_withdraw(struct zygote *zygote);

/*
 * Lets the zygote clone the init of the offered job, as a child of the launcher.
 * @returns its pid; negative: it cannot clone now, as a negated errno; 0: it is lost, and whatever it has begun is dead
 */
pid_t zygote_clone(struct zygote *zygote, const struct child_given *given);

#endif
