#include "memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)

/* From the heap, whose red zones detect overflows. */
void *memory_alloc(size_t size, enum memory_kind kind) {
    (void)kind;
    return calloc(1, size == 0 ? 1 : size);
}

void memory_drop(void *part, size_t size) {
    explicit_bzero(part, size);
}

void memory_free(void *memory, size_t size) {
    if (memory == NULL) return;
    explicit_bzero(memory, size);
    free(memory);
}

#else

void *memory_alloc(size_t size, enum memory_kind kind) {
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

void memory_drop(void *part, size_t size) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t first = ((uintptr_t)part + page - 1) & -page, end = ((uintptr_t)part + size) & -page;
    if (first < end) madvise((void *)first, end - first, MADV_DONTNEED);
}

/*
 * Not explicit_bzero: each page that is still shared with the job's init would be copied first,
 * 40 MiB for the largest job. The kernel zeroes a page before it is used again.
 */
void memory_free(void *memory, size_t size) {
    if (memory != NULL) munmap(memory, size == 0 ? 1 : size);
}

#endif
