/* A job's first process: the init of its namespaces, or, plain, the program itself. */
#ifndef LAUNCHER_CHILD_H
#define LAUNCHER_CHILD_H

#include <stdint.h>
#include <sys/types.h>

#include "job.h"
#include "room.h"

enum {
    CHILD_SETUP_BYTES_MAX = 512,
    /* On the setup pipe: the compiler runs. */
    CHILD_COMPILES = 'c',
    /* On the setup pipe: all is done but the exec. */
    CHILD_READY = '+',
    /* The mark and the time (clock.h): whoever reads may be late, and the program over by then. */
    CHILD_MARK_BYTES = 1 + sizeof(int64_t),
    /* The launcher opens none from this number on. */
    CHILD_FDS_MAX = 64
};

/* What the launcher has for it. */
struct child_given {
    /* Its own are nobody's in a new namespace, until they are mapped. */
    uid_t uid;
    gid_t gid;
    /* Pipes to the launcher. */
    int in;
    int out;
    int err;
    /*
     * "c" and the time where there is a compiler; "+", the time, and the end of the file: the
     * program runs. Else the line of a refusal. Closed by exec.
     */
    int setup;
    /*
     * A child_result once the program, or a compiler that failed, has ended; nobody but the init can
     * write it. Plain: -1.
     */
    int result;
    struct room *room;
};

struct child_result {
    int status;              /* as wait(2) has it */
    int64_t memory_peak_kib; /* of the largest process that the init has waited for */
};

_Noreturn void child_main(struct job *job, unsigned char *payload, size_t payload_size,
                          const struct child_given *given);

#endif
