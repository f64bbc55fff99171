#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)

/* From the heap, whose red zones find a byte too many. */
void *memory_take(size_t size, enum memory_kind kind) {
    (void)kind;
    return calloc(1, size == 0 ? 1 : size);
}

void memory_give_back(void *memory, size_t size) {
    if (memory == NULL) return;
    explicit_bzero(memory, size);
    free(memory);
}

#else

void *memory_take(size_t size, enum memory_kind kind) {
    if (size == 0) size = 1;
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return NULL;
    if (kind == MEMORY_OWN && madvise(memory, size, MADV_DONTFORK) != 0) {
        munmap(memory, size);
        return NULL;
    }
    return memory;
}

/*
 * Not explicit_bzero: pages that are still shared with the job's init would each be copied first,
 * 9 MiB of them for the largest job. The kernel zeroes a page before anybody gets it again.
 */
void memory_give_back(void *memory, size_t size) {
    if (memory != NULL) munmap(memory, size == 0 ? 1 : size);
}

#endif
