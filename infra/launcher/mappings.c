#include "mappings.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A Node has about 400 mappings, of 700 bytes each. */
enum { TEXT_BYTES_MAX = 4 * 1024 * 1024 };

/* admin-guide/mm/pagemap.rst */
#define PAGEMAP_PRESENT (1ULL << 63)
#define PAGEMAP_OF_FILE (1ULL << 61)

/*
 * Flags of plain memory (proc(5), VmFlags). Any other means that a copy would not be the same: `wf` is wiped in a fork
 * (random generators rely on it), `dp` may be dropped, `dc` is not inherited, `gd` is a stack, `lo` is locked.
 */
static const char PLAIN_FLAGS[] = " rd wr ex mr mw me ac nr sd mg hg nh dd ";

size_t mappings_page_size(void) {
    return (size_t)sysconf(_SC_PAGESIZE);
}

static bool read_all(int fd, char *text, size_t size) {
    size_t length = 0;
    ssize_t count;
    while ((count = read(fd, text + length, size - 1 - length)) > 0) length += (size_t)count;
    /* A full buffer may lack the rest. */
    return count == 0 && length > 0 && length < size - 1;
}

bool mappings_open(struct mappings *mappings) {
    *mappings = (struct mappings){.pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)};
    int fd = open("/proc/self/smaps", O_RDONLY | O_CLOEXEC);
    /* Shared, so that it is no part of another mapping. */
    mappings->text = mmap(NULL, TEXT_BYTES_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (mappings->text == MAP_FAILED) mappings->text = NULL;
    bool is_open = fd >= 0 && mappings->pagemap >= 0 && mappings->text != NULL &&
                   read_all(fd, mappings->text, TEXT_BYTES_MAX);
    if (fd >= 0) close(fd);
    mappings->next = mappings->text;
    if (!is_open) mappings_close(mappings);
    return is_open;
}

void mappings_close(struct mappings *mappings) {
    if (mappings->pagemap >= 0) close(mappings->pagemap);
    if (mappings->text != NULL) munmap(mappings->text, TEXT_BYTES_MAX);
}

static char *take_line(struct mappings *mappings) {
    char *line = mappings->next, *end = strchr(line, '\n');
    if (end == NULL) return NULL;
    *end = 0;
    mappings->next = end + 1;
    return line;
}

static bool are_plain(const char *flags) {
    for (; *flags == ' '; flags++) continue;
    for (; strlen(flags) >= 2; flags += flags[2] == ' ' ? 3 : 2) {
        const char flag[] = {' ', flags[0], flags[1], ' ', 0};
        if (strstr(PLAIN_FLAGS, flag) == NULL) return false;
    }
    return true;
}

bool mappings_next(struct mappings *mappings, struct mapping *mapping) {
    char *line = take_line(mappings), access[5], file[2];
    unsigned long begin, end;
    if (line == NULL || sscanf(line, "%lx-%lx %4s", &begin, &end, access) != 3) return false;
    *mapping = (struct mapping){.begin = begin,
                                .end = end,
                                .access = (access[0] == 'r' ? PROT_READ : 0) | (access[1] == 'w' ? PROT_WRITE : 0) |
                                          (access[2] == 'x' ? PROT_EXEC : 0),
                                .is_private = access[3] == 'p',
                                .from_file = sscanf(line, "%*s %*s %*s %*s %*s %1[/]", file) == 1};
    do line = take_line(mappings);
    while (line != NULL && strncmp(line, "VmFlags:", 8) != 0);
    if (line == NULL) return false;
    mapping->is_plain = are_plain(line + 8);
    return true;
}

size_t mappings_pages(const struct mappings *mappings, uintptr_t begin, size_t count, enum page *pages) {
    uint64_t entries[PAGES_AT_ONCE];
    if (count > PAGES_AT_ONCE) count = PAGES_AT_ONCE;
    ssize_t size = pread(mappings->pagemap, entries, count * sizeof *entries,
                         (off_t)(begin / mappings_page_size() * sizeof *entries));
    size_t known = size < 0 ? 0 : (size_t)size / sizeof *entries;
    for (size_t i = 0; i < known; i++)
        pages[i] = !(entries[i] & PAGEMAP_PRESENT)   ? PAGE_ABSENT
                   : (entries[i] & PAGEMAP_OF_FILE) ? PAGE_SHARED
                                                    : PAGE_OWN;
    return known;
}
