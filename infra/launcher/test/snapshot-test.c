/* A process whose memory moves into a file keeps it, and its forks have copies of their own. */
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "mappings.h"
#include "snapshot.h"

/* Far enough apart that they are not one range. */
enum { PAGES = 64, WRITTEN = 7, READ = 40 };

static unsigned char *pages, *wiped;
static size_t page_size;
static struct snapshot_use *use;

static unsigned char *page(size_t number) {
    return pages + number * page_size;
}

static enum page state_of(const unsigned char *address) {
    struct mappings mappings;
    enum page state = PAGE_ABSENT;
    CHECK(mappings_open(&mappings));
    CHECK(mappings_pages(&mappings, (uintptr_t)address, 1, &state) == 1);
    mappings_close(&mappings);
    return state;
}

static bool has(const struct snapshot_ranges *ranges, const unsigned char *address) {
    for (size_t i = 0; i < ranges->count; i++)
        if (ranges->each[i].begin <= (uintptr_t)address && (uintptr_t)address < ranges->each[i].end) return true;
    return false;
}

static bool is_as_before(const unsigned char *memory) {
    for (size_t i = 0; i < PAGES; i++)
        if (memory[i * page_size] != i + 1) return false;
    return true;
}

/* @returns whether the checks of `check` held */
static bool in_a_fork(void (*check)(void)) {
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        check();
        _exit(0);
    }
    return waitpid(child, &status, 0) == child && status == 0;
}

static void use_some(void) {
    page(WRITTEN)[0] = 99;
    CHECK(page(READ)[0] == READ + 1);
    snapshot_see_use(use);
}

static void has_what_it_will_use(void) {
    CHECK(state_of(page(WRITTEN)) != PAGE_OWN);
    snapshot_prepare(use);
    CHECK(state_of(page(WRITTEN)) == PAGE_OWN);
    CHECK(state_of(page(READ)) == PAGE_SHARED);
    CHECK(is_as_before(pages));
    page(WRITTEN)[0] = 98;
}

static void is_wiped(void) {
    CHECK(wiped[0] == 0);
}

static void *map(size_t size, int kind) {
    return mmap(NULL, size, PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS, -1, 0);
}

int main(void) {
    page_size = mappings_page_size();
    pages = map(PAGES * page_size, MAP_PRIVATE);
    wiped = map(page_size, MAP_PRIVATE);
    use = map(sizeof *use, MAP_SHARED);
    for (size_t i = 0; i < PAGES; i++) page(i)[0] = (unsigned char)(i + 1);
    CHECK(madvise(wiped, page_size, MADV_WIPEONFORK) == 0);
    wiped[0] = 1;

    snapshot_take();
    CHECK(is_as_before(pages) && wiped[0] == 1);
    CHECK(state_of(page(0)) != PAGE_OWN);

    CHECK(in_a_fork(use_some));
    CHECK(has(&use->written, page(WRITTEN)) && !has(&use->written, page(READ)));
    CHECK(has(&use->all, page(WRITTEN)) && has(&use->all, page(READ)));

    CHECK(in_a_fork(has_what_it_will_use));
    CHECK(in_a_fork(is_wiped));
    CHECK(is_as_before(pages));
    return checks_done("snapshot-test");
}
