/* A job's first process: nested, the init of its namespaces; plain, the program itself. */
#ifndef LAUNCHER_CHILD_H
#define LAUNCHER_CHILD_H

#include <stdint.h>
#include <sys/types.h>

#include "base.h"
#include "job.h"
#include "room.h"
#include "snapshot.h"

enum {
    CHILD_SETUP_BYTES_MAX = 512,
    /* On the setup pipe: only the exec is left. */
    CHILD_READY = '+',
    /* The mark and the time (clock.h): the program may be over before the launcher reads it. */
    CHILD_MARK_BYTES = 1 + sizeof(int64_t)
};

/* Passed by the launcher to the child. */
struct child_given {
    /* The launcher's: in a new namespace, the ids are `nobody` until they are mapped. */
    uid_t uid;
    gid_t gid;
    /* Pipes to the launcher. */
    int in;
    int out;
    int err;
    /* Carries "+", the time and end of file if the program runs; otherwise the line of a refusal. */
    int setup;
    /* Carries a child_result when the program has ended. Only the init can write it. Plain: -1. */
    int result;
    /*
     * Carries the time at which the last process of the job was dead (int64_t, clock.h), and the files that the host
     * wants (collect.h). Only the init can write it. -1: the host wants none, or the job is plain.
     */
    int files;
    struct base base; /* of the job; it has no other copy of the descriptor, and closes it before user code runs */
    struct room *room;
    /* Memory that the programs of a preloaded interpreter use. */
    const struct snapshot_use *use;
};

struct child_result {
    int status;              /* as wait(2) has it */
    int64_t memory_peak_kib; /* of the largest process that the init has waited for */
};

/* Plain: the launcher's child that collects the files of a job whose processes are dead. */
_Noreturn void child_collect(const struct collect_order *order, const char *folder, int files);

_Noreturn void child_main(struct job *job, unsigned char *payload, size_t payload_size,
                          const struct child_given *given);

/*
 * The same in a clone of a preloaded interpreter (serve.h). Returns in the program, which has not been
 * exec'ed, but forked. The job must be nested.
 */
void child_preloaded(struct job *job, unsigned char *payload, size_t payload_size,
                     const struct child_given *given);

#endif
