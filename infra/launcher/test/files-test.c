/*
 * The files that a job leaves, in plain mode: files-test LAUNCHER. (What an init collects, and hostile programs:
 * test/integration.)
 */
#include "plain-cell.h"

#include "collect.h"

enum { RECORDS_MAX = 300 };

struct record {
    char kind;
    char path[COLLECT_PATH_BYTES_MAX + 1];
    const unsigned char *content;
    size_t size;
};

static struct record records[RECORDS_MAX];
static size_t record_count;
static bool is_complete;
static uint32_t matched, matches;

static size_t length_at(const unsigned char **next, const unsigned char *end) {
    CHECK(end - *next >= 4);
    size_t size = u32_read(*next);
    *next += 4;
    CHECK((size_t)(end - *next) >= size);
    return size;
}

static void read_records(const struct answer *answer) {
    const unsigned char *next = (const unsigned char *)answer->files, *end = next + answer->files_size;
    record_count = 0;
    is_complete = false;
    while (next < end) {
        CHECK(!is_complete && record_count < RECORDS_MAX);
        struct record *record = &records[record_count++];
        *record = (struct record){.kind = (char)*next++};
        size_t size = length_at(&next, end);
        if (record->kind == COLLECT_END) {
            record_count--;
            CHECK(size == 8);
            matched = u32_read(next);
            matches = u32_read(next + 4);
            is_complete = true;
        } else {
            CHECK(size <= COLLECT_PATH_BYTES_MAX);
            memcpy(record->path, next, size);
        }
        next += size;
        if (record->kind != COLLECT_FILE) continue;
        record->size = length_at(&next, end);
        record->content = next;
        next += record->size;
    }
}

static const struct answer *collect(struct job_spec spec) {
    const struct answer *answer = run(spec);
    read_records(answer);
    return answer;
}

#define PATTERNS(...) \
    (const char *const[]) { __VA_ARGS__, NULL }

static bool is_record(size_t i, char kind, const char *path) {
    return i < record_count && records[i].kind == kind && strcmp(records[i].path, path) == 0;
}

static bool has_content(size_t i, const char *text) {
    return records[i].size == strlen(text) && memcmp(records[i].content, text, records[i].size) == 0;
}

static void sends_what_matches_in_the_order_of_paths(void) {
    const struct answer *answer = collect((struct job_spec){
        .argv = SH("mkdir -p out/x; echo b >b.txt; echo a >a.txt; echo c >out/x/c.txt; echo no >no; >out/empty"),
        .patterns = PATTERNS("*.txt", "out/**", "nothing")});
    CHECK(has_line(answer, "status=0") && is_complete && record_count == 4 && matches == 4 && matched == 3);
    CHECK(is_record(0, COLLECT_FILE, "a.txt") && has_content(0, "a\n"));
    CHECK(is_record(1, COLLECT_FILE, "b.txt") && has_content(1, "b\n"));
    CHECK(is_record(2, COLLECT_FILE, "out/empty") && has_content(2, ""));
    CHECK(is_record(3, COLLECT_FILE, "out/x/c.txt") && has_content(3, "c\n"));
}

static void sends_none_that_nobody_wants(void) {
    const struct answer *answer = run_sh("echo a >a.txt");
    CHECK(answer->files_size == 0 && strchr(answer->types, FRAME_FILES) == NULL);
}

static void skips_what_is_no_file(void) {
    collect((struct job_spec){.argv = SH("ln -s /etc/passwd link; mkfifo pipe; ln -s / root; mkdir folder; >file"),
                              .patterns = PATTERNS("*", "root/etc/*")});
    CHECK(is_complete && record_count == 4 && is_record(0, COLLECT_FILE, "file"));
    CHECK(is_record(1, COLLECT_NOT_REGULAR, "link") && is_record(2, COLLECT_NOT_REGULAR, "pipe"));
    CHECK(is_record(3, COLLECT_NOT_REGULAR, "root"));
}

static void keeps_the_bounds(void) {
    collect((struct job_spec){.argv = SH("for i in 1 2 3 4 5; do echo $i >$i; >2x; done; truncate -s 1T 0"),
                              .patterns = PATTERNS("*"), .except = "2x", .files_max = 4, .file_bytes_max = 100, .bytes_max = 5});
    CHECK(is_complete && record_count == 4 && matches == 6);
    CHECK(is_record(0, COLLECT_FILE, "1") && is_record(1, COLLECT_FILE, "2"));
    CHECK(is_record(2, COLLECT_TOO_LARGE, "0") && is_record(3, COLLECT_TOO_LARGE, "3"));
}

static void goes_no_deeper_than_its_bound(void) {
    collect((struct job_spec){.argv = SH("for i in $(seq 40); do >f; mkdir d; cd d; done"),
                              .patterns = PATTERNS("**/f")});
    CHECK(is_complete && record_count == COLLECT_DEPTH_MAX + 2);
    CHECK(records[COLLECT_DEPTH_MAX + 1].kind == COLLECT_TOO_DEEP);
}

static void cuts_paths_that_are_too_long(void) {
    collect((struct job_spec){.argv = SH("n=$(printf %0200d 0); mkdir $n; >$n/$n; >$n/a"), .patterns = PATTERNS("**")});
    CHECK(is_complete && record_count == 2 && records[0].kind == COLLECT_FILE);
    CHECK(records[1].kind == COLLECT_LONG_PATH && strlen(records[1].path) == COLLECT_PATH_BYTES_MAX);
}

static void sends_files_larger_than_the_queue(void) {
    collect((struct job_spec){.argv = SH("head -c 1000000 /dev/zero | tr '\\0' x >big"), .patterns = PATTERNS("big")});
    CHECK(is_complete && record_count == 1 && records[0].size == 1000000);
    for (size_t i = 0; i < records[0].size; i++) CHECK(records[0].content[i] == 'x');
}

static void sends_files_of_programs_that_fail(void) {
    const struct answer *answer =
        collect((struct job_spec){.argv = SH("echo a >a; exit 3"), .patterns = PATTERNS("a")});
    CHECK(has_line(answer, "status=768") && is_complete && record_count == 1);
    answer = collect((struct job_spec){
        .argv = SH("echo a >a; sleep 60"), .timeout_ms = 300, .patterns = PATTERNS("a")});
    CHECK(has_line(answer, "killed=deadline") && is_complete && record_count == 1);
}

static void sends_nothing_of_what_never_ran(void) {
    static const char *const none[] = {"/no/such/program", NULL};
    const struct answer *answer = collect((struct job_spec){.argv = none, .patterns = PATTERNS("*")});
    CHECK(strcmp(answer->types, "R") == 0);
}

static void sends_nothing_after_a_kill(void) {
    send_job((struct job_spec){.argv = SH("echo a >a; echo up; sleep 60"), .patterns = PATTERNS("a")});
    static unsigned char payload[FRAME_OUT_BYTES_MAX];
    char type = 0;
    while (type != FRAME_STDOUT) cell_frame(&cell, &type, payload);
    cell_kill(&cell, last_number);
    const struct answer *answer = cell_answer(&cell);
    CHECK(has_line(answer, "killed=host") && answer->files_size == 0);
}

/* What a process writes that outlives the program must not appear half. */
static void collects_when_all_are_dead(void) {
    const struct answer *answer = collect((struct job_spec){
        .argv = SH("(while :; do echo more >>grows; done) & while [ ! -s grows ]; do :; done; echo a >a"), .patterns = PATTERNS("*")});
    CHECK(has_line(answer, "status=0") && is_complete && record_count == 2);
}

int main(int argc, char **argv) {
    begin(argc, argv);
    sends_what_matches_in_the_order_of_paths();
    sends_none_that_nobody_wants();
    skips_what_is_no_file();
    keeps_the_bounds();
    goes_no_deeper_than_its_bound();
    cuts_paths_that_are_too_long();
    sends_files_larger_than_the_queue();
    sends_files_of_programs_that_fail();
    sends_nothing_of_what_never_ran();
    sends_nothing_after_a_kill();
    collects_when_all_are_dead();
    CHECK(cell_end(&cell) == 0);
    remove_root();
    return checks_done("files-test");
}
