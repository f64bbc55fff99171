#include "snapshot.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mappings.h"

enum {
    EXIT_FAILED = 70,
    /* So many absent pages between two others are moved with them: each range becomes a mapping. */
    HOLE_PAGES_MAX = 4,
    /* So many pages that were not used, between two others, are cheaper than a further system call. */
    UNREAD_PAGES_MAX = 8,
    UNWRITTEN_PAGES_MAX = 1
};

/* Python has 30, Node 150. What is over SNAPSHOT_RANGES_MAX stays where it is. */
static struct snapshot_ranges moved;

static bool is_moved(uintptr_t page) {
    for (size_t i = 0; i < moved.count; i++)
        if (moved.each[i].begin <= page && page < moved.each[i].end) return true;
    return false;
}

/* Calls `see` with each page of the mapping. */
static void each_page(const struct mappings *mappings, const struct mapping *mapping,
                      void (*see)(uintptr_t, enum page, const struct mapping *, void *), void *context) {
    enum page states[PAGES_AT_ONCE];
    size_t page_size = mappings_page_size(), count;
    for (uintptr_t begin = mapping->begin; begin < mapping->end; begin += count * page_size) {
        count = mappings_pages(mappings, begin, (mapping->end - begin) / page_size, states);
        if (count == 0) return;
        for (size_t i = 0; i < count; i++) see(begin + i * page_size, states[i], mapping, context);
    }
}

/* A range reaches over at most `gap_pages` other pages, and not beyond its mapping. */
static void add(struct snapshot_ranges *ranges, uintptr_t page, size_t gap_pages, const struct mapping *mapping) {
    size_t page_size = mappings_page_size();
    struct snapshot_range *last = ranges->count == 0 ? NULL : &ranges->each[ranges->count - 1];
    if (last != NULL && last->end > mapping->begin && page - last->end <= gap_pages * page_size)
        last->end = page + page_size;
    else if (ranges->count < SNAPSHOT_RANGES_MAX)
        ranges->each[ranges->count++] = (struct snapshot_range){page, page + page_size};
}

static void add_to_moved(uintptr_t page, enum page state, const struct mapping *mapping, void *nothing) {
    (void)nothing;
    if (state == PAGE_OWN) add(&moved, page, HOLE_PAGES_MAX, mapping);
}

/* @returns false if nothing can be moved */
static bool copy_to_file(int file) {
    off_t offset = 0;
    for (size_t i = 0; i < moved.count; i++) {
        size_t size = moved.each[i].end - moved.each[i].begin;
        if (pwrite(file, (void *)moved.each[i].begin, size, offset) != (ssize_t)size) return false;
        offset += (off_t)size;
    }
    return fcntl(file, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0;
}

static void map_file(int file) {
    off_t offset = 0;
    for (size_t i = 0; i < moved.count; i++) {
        size_t size = moved.each[i].end - moved.each[i].begin;
        void *place = (void *)moved.each[i].begin;
        if (mmap(place, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, file, offset) == MAP_FAILED)
            _exit(EXIT_FAILED);
        offset += (off_t)size;
    }
}

/* Memory that can be executed stays: mapping a file so may be forbidden. */
static bool is_movable(const struct mapping *mapping) {
    uintptr_t own_stack = (uintptr_t)__builtin_frame_address(0);
    bool holds_stack = mapping->begin <= own_stack && own_stack < mapping->end;
    return mapping->is_private && mapping->is_plain && mapping->access == (PROT_READ | PROT_WRITE) && !holds_stack;
}

/* Before Linux 5.14, a program would have more faults with the file than without it. */
static bool can_populate(void) {
    void *page = mmap(NULL, mappings_page_size(), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool can = page != MAP_FAILED && madvise(page, mappings_page_size(), MADV_POPULATE_READ) == 0;
    if (page != MAP_FAILED) munmap(page, mappings_page_size());
    return can;
}

/* Between the copy and the last mapping, nothing may be written but this stack: it would be lost. */
static void move(int file) {
    if (copy_to_file(file)) map_file(file);
    else moved.count = 0;
}

void snapshot_take(void) {
    struct mappings mappings;
    struct mapping mapping;
    int file = can_populate() ? memfd_create("preload", MFD_CLOEXEC | MFD_ALLOW_SEALING) : -1;
    if (file < 0) return;
    if (mappings_open(&mappings)) {
        while (mappings_next(&mappings, &mapping))
            if (is_movable(&mapping)) each_page(&mappings, &mapping, add_to_moved, NULL);
        mappings_close(&mappings);
        move(file);
    }
    close(file);
}

static void add_to_use(uintptr_t page, enum page state, const struct mapping *mapping, void *context) {
    struct snapshot_use *use = context;
    if (state == PAGE_ABSENT) return;
    add(&use->all, page, UNREAD_PAGES_MAX, mapping);
    if (state == PAGE_OWN && is_moved(page)) add(&use->written, page, UNWRITTEN_PAGES_MAX, mapping);
}

void snapshot_see_use(struct snapshot_use *use) {
    struct mappings mappings;
    struct mapping mapping;
    use->written.count = use->all.count = 0;
    if (moved.count == 0 || !mappings_open(&mappings)) return;
    while (mappings_next(&mappings, &mapping))
        if (mapping.is_private && (mapping.access & PROT_READ) && mapping.from_file && mapping.is_plain)
            each_page(&mappings, &mapping, add_to_use, use);
    mappings_close(&mappings);
}

static void advise(const struct snapshot_ranges *ranges, int advice) {
    for (size_t i = 0; i < ranges->count; i++)
        madvise((void *)ranges->each[i].begin, ranges->each[i].end - ranges->each[i].begin, advice);
}

/* An error has no effect: the pages are copied as they are used. */
void snapshot_prepare(const struct snapshot_use *use) {
    advise(&use->written, MADV_POPULATE_WRITE);
    advise(&use->all, MADV_POPULATE_READ);
}
