/* Memory of one job: taken from the kernel, given back to it, never left behind in a heap. */
#ifndef LAUNCHER_MEMORY_H
#define LAUNCHER_MEMORY_H

#include <stddef.h>

enum memory_kind {
    /* A fork has it too: the job's init needs the job. */
    MEMORY_INHERITED,
    /* A fork does not: what one job printed is nothing that a later job's init could hold. */
    MEMORY_OWN
};

/* Zeroed; only what is touched costs anything. NULL where there is none. */
void *memory_take(size_t size, enum memory_kind kind);

/* Its content is gone with it. NULL is ignored. */
void memory_give_back(void *memory, size_t size);

#endif
