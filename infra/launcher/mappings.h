/* The memory of this process, as the kernel tells it: /proc/self/smaps (proc(5)) and /proc/self/pagemap. */
#ifndef LAUNCHER_MAPPINGS_H
#define LAUNCHER_MAPPINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mapping {
    uintptr_t begin, end;
    int access; /* PROT_READ, PROT_WRITE, PROT_EXEC; 0: none */
    bool is_private;
    bool from_file;
    /* Its pages are memory and nothing else, for every fork too: not the kernel's own, not wiped, not a stack. */
    bool is_plain;
};

struct mappings {
    char *text, *next;
    int pagemap;
};

/* Takes stock: what is mapped later is not told. @returns false if the kernel does not tell, or not all */
bool mappings_open(struct mappings *mappings);
void mappings_close(struct mappings *mappings);
/* @returns false after the last one. It does not use the heap. */
bool mappings_next(struct mappings *mappings, struct mapping *mapping);

enum page {
    PAGE_ABSENT, /* or swapped out */
    PAGE_SHARED, /* of a file, unchanged */
    PAGE_OWN     /* a copy of this process, or anonymous */
};

enum { PAGES_AT_ONCE = 512 };

/* States of at most PAGES_AT_ONCE pages from `begin` on. @returns how many, fewer than asked only at an error */
size_t mappings_pages(const struct mappings *mappings, uintptr_t begin, size_t count, enum page *pages);

size_t mappings_page_size(void);

#endif
