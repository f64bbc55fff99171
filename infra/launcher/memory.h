/* Memory of one job: mapped from the kernel and returned to it, never kept in a heap. */
#ifndef LAUNCHER_MEMORY_H
#define LAUNCHER_MEMORY_H

#include <stddef.h>

enum memory_kind {
    /* Inherited by a fork: the job's init needs the job. */
    MEMORY_INHERITED,
    /* Not inherited by a fork: a later job's init must not hold the output of an earlier job. */
    MEMORY_OWN
};

/* Returns zeroed memory; only touched pages cost anything. NULL if there is no memory. */
void *memory_alloc(size_t size, enum memory_kind kind);

/* Returns the whole pages of a part of such memory to the kernel: their content is lost. */
void memory_drop(void *part, size_t size);

/* Destroys the content. NULL is ignored. */
void memory_free(void *memory, size_t size);

#endif
