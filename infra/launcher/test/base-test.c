/* The base, which the host sends once for many jobs, in plain mode: base-test LAUNCHER. (Nested: test/integration.) */
#include "plain-cell.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>

static const char NO_BASE[] = "malformed: there is no base";

/* Where the next job has its program, which must not be there yet. */
static const char *made_path(void) {
    static char path[64];
    snprintf(path, sizeof path, "%s/made-%u/program", root, last_number + 1);
    return path;
}

static const struct answer *run_with(enum job_base base, const char *script) {
    return run((struct job_spec){.argv = SH(script), .base = (unsigned char)base});
}

static bool is_refused(const struct answer *answer, const char *refusal) {
    return strcmp(answer->types, "R") == 0 && strcmp(answer->end, refusal) == 0;
}

/* How many files of bases the launcher has open; -1: not to be seen, as in a container that may not trace it. */
static int files_open(void) {
    char path[64], target[PATH_MAX];
    int count = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)cell.pid);
    DIR *folder = opendir(path);
    if (folder == NULL) return -1;
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        ssize_t size = readlinkat(dirfd(folder), entry->d_name, target, sizeof target - 1);
        if (size < 0 && (errno == EACCES || errno == EPERM)) {
            count = -1;
            break;
        }
        target[size < 0 ? 0 : size] = 0;
        count += strncmp(target, "/memfd:base", 11) == 0;
    }
    closedir(folder);
    return count;
}

static bool has_files_open(int count) {
    int open = files_open();
    return open < 0 || open == count;
}

static bool is_mapped(void) {
    char path[64], line[PATH_MAX + 128];
    bool found = false;
    snprintf(path, sizeof path, "/proc/%d/maps", (int)cell.pid);
    FILE *maps = fopen(path, "r");
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) found = found || strstr(line, "memfd:base") != NULL;
    if (maps != NULL) fclose(maps);
    return found;
}

static void gives_each_job_its_own_copy(void) {
    send_base((struct base_spec){.path = "a/common", .content = "as sent\n"});
    for (int i = 0; i < 20; i++) {
        struct job_spec spec = {.argv = SH("cat a/common a/own; echo changed >a/common; chmod 0 a/own; rm -r a"),
                                .base = JOB_BASE_KEPT, .path = "a/own", .content = "own\n"};
        CHECK(strcmp(run(spec)->out, "as sent\nown\n") == 0);
        CHECK(has_files_open(1) && !is_mapped());
    }
    CHECK(strcmp(run_with(JOB_BASE_KEPT, "ls; cat a/common")->out, "a\nas sent\n") == 0);
}

static void refuses_a_file_that_the_base_has(void) {
    send_base((struct base_spec){.path = "a/b", .content = ""});
    struct job_spec spec = {.argv = SH("true"), .base = JOB_BASE_KEPT, .path = "a/b", .content = ""};
    CHECK(is_refused(run(spec), "input: a/b: File exists"));
}

static void drops_it_after_its_last_use(void) {
    send_base((struct base_spec){.path = "a", .content = "a\n"});
    CHECK(strcmp(run_with(JOB_BASE_LAST, "cat a")->out, "a\n") == 0);
    CHECK(has_files_open(0));
    CHECK(is_refused(run_with(JOB_BASE_KEPT, "true"), NO_BASE));
    CHECK(is_refused(run_with(JOB_BASE_LAST, "true"), NO_BASE));
}

/* Before the program has ended. */
static void holds_it_no_longer_while_the_last_job_runs(void) {
    static unsigned char payload[FRAME_OUT_BYTES_MAX];
    char type = 0;
    send_base((struct base_spec){.path = "a", .content = "a\n"});
    send_job((struct job_spec){.argv = SH("cat a; sleep 60"), .base = JOB_BASE_LAST});
    while (type != FRAME_STDOUT) cell_frame(&cell, &type, payload);
    CHECK(has_files_open(0));
    cell_kill(&cell, last_number);
    CHECK(has_line(cell_answer(&cell), "killed=host"));
}

static void drops_it_for_a_job_without_one(void) {
    send_base((struct base_spec){.path = "a", .content = ""});
    CHECK(strcmp(run_with(JOB_BASE_NONE, "ls")->out, "") == 0);
    CHECK(has_files_open(0));
    CHECK(is_refused(run_with(JOB_BASE_KEPT, "true"), NO_BASE));
}

/* What is no job at all says nothing of the base. */
static void keeps_it_when_a_job_is_refused(void) {
    static const char *const nothing[] = {"no-such-program", NULL};
    send_base((struct base_spec){.path = "a", .content = "a\n"});
    cell_send(&cell, FRAME_JOB, "\0\0\0\7x", 5);
    CHECK(strcmp(cell_answer(&cell)->types, "R") == 0);
    CHECK(strcmp(run((struct job_spec){.argv = nothing, .base = JOB_BASE_KEPT})->types, "R") == 0);
    CHECK(strcmp(run_with(JOB_BASE_LAST, "cat a")->out, "a\n") == 0);
}

static void replaces_one_by_another(void) {
    send_base((struct base_spec){.path = "a", .content = "1\n"});
    CHECK(strcmp(run_with(JOB_BASE_KEPT, "cat *")->out, "1\n") == 0);
    send_base((struct base_spec){.path = "b", .content = "2\n"});
    send_base((struct base_spec){.path = "c", .content = "3\n"});
    CHECK(strcmp(run_with(JOB_BASE_KEPT, "ls; cat *")->out, "c\n3\n") == 0);
    CHECK(has_files_open(1));
}

static void tells_the_fault_to_each_job_that_asks(void) {
    static const char *const cut_short = "malformed: cut short";
    static const char *const path = "input: a path must be relative and stay in the working folder";
    send_base((struct base_spec){.path = "a", .content = "a\n"});
    cell_send(&cell, FRAME_BASE, "\0\0\0", 3);
    CHECK(is_refused(run_with(JOB_BASE_KEPT, "true"), cut_short));
    CHECK(has_files_open(0));
    CHECK(is_refused(run_with(JOB_BASE_KEPT, "true"), cut_short));
    cell_send(&cell, FRAME_BASE, "", 0);
    CHECK(is_refused(run_with(JOB_BASE_LAST, "true"), cut_short));
    send_base((struct base_spec){.path = "../a", .content = "a\n"});
    CHECK(is_refused(run_with(JOB_BASE_KEPT, "true"), path));
    CHECK(strcmp(run_with(JOB_BASE_NONE, "echo on")->out, "on\n") == 0);
    CHECK(is_refused(run_with(JOB_BASE_KEPT, "true"), NO_BASE));
    send_base((struct base_spec){.program_path = "made", .program = "x"});
    CHECK(is_refused(run_with(JOB_BASE_KEPT, "true"), "malformed: a compiled program needs an absolute path"));
    send_base((struct base_spec){.path = "a", .content = "on\n"});
    CHECK(strcmp(run_with(JOB_BASE_KEPT, "cat a")->out, "on\n") == 0);
}

static void takes_none_while_a_job_runs(void) {
    static char content[1024 * 1024];
    memset(content, 'x', sizeof content - 1);
    send_base((struct base_spec){.path = "a", .content = "a\n"});
    send_job((struct job_spec){.argv = SH("sleep 0.2; cat a; sleep 60"), .base = JOB_BASE_KEPT});
    send_base((struct base_spec){.path = "b", .content = content});
    usleep(300000);
    cell_kill(&cell, last_number);
    const struct answer *answer = cell_answer(&cell);
    CHECK(has_files_open(0));
    CHECK(has_line(answer, "killed=host") && strcmp(answer->out, "a\n") == 0);
    CHECK(is_refused(run_with(JOB_BASE_KEPT, "true"), "malformed: the base arrived while a job ran"));
}

static void runs_a_program_many_times(void) {
    for (int i = 0; i < 3; i++) {
        const char *const argv[] = {made_path(), "given", NULL};
        struct job_spec spec = {.argv = argv, .base = JOB_BASE_KEPT};
        char expected[128];
        send_base((struct base_spec){.path = "f", .content = "file\n", .program_path = argv[0],
                                     .program = "#!/bin/sh\necho $1; cat f; pwd"});
        const struct answer *answer = run(spec);
        CHECK(has_line(answer, "status=0") && strncmp(answer->out, "given\nfile\n", 11) == 0);
        CHECK(remove(argv[0]) == 0);
        answer = run(spec);
        snprintf(expected, sizeof expected, "given\nfile\n%s/%u\n", root, last_number);
        CHECK(strcmp(answer->out, expected) == 0 && has_line(answer, "status=0"));
    }
}

/* What it is, the user has made: an end like any other, as a shell tells it. */
static void ends_where_a_program_does_not_run(void) {
    const char *const argv[] = {made_path(), NULL}, *const not_there[] = {"/no/such/program", NULL};
    send_base((struct base_spec){.program_path = argv[0], .program = "!<arch>\n"});
    const struct answer *answer = run((struct job_spec){.argv = argv, .base = JOB_BASE_LAST});
    CHECK(has_line(answer, "status=32256") && strstr(answer->err, "program: Exec format error") != NULL);
    send_base((struct base_spec){.program_path = made_path(), .program = "!<arch>\n"});
    CHECK(has_line(run((struct job_spec){.argv = not_there, .base = JOB_BASE_LAST}), "status=32512"));
}

static void hides_it_from_programs(void) {
    send_base((struct base_spec){.path = "a", .content = "a\n"});
    for (enum job_base base = JOB_BASE_KEPT; base <= JOB_BASE_LAST; base++)
        CHECK(strcmp(run_with(base, "echo /proc/self/fd/*")->out,
                     "/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3\n") == 0);
}

static int64_t memory_peak(const struct answer *answer) {
    const char *peak = strstr(answer->end, "\nmemory_peak=");
    CHECK(peak != NULL);
    return strtoll(peak + strlen("\nmemory_peak="), NULL, 10);
}

/* The high-water mark of a program begins with that of its init. */
static void counts_nothing_of_it_as_memory_of_a_program(void) {
    enum { MIB = 1024 * 1024, PIECES = 32 };
    static char piece[MIB];
    static struct job_bytes begin;
    memset(piece, '\n', sizeof piece);
    for (enum job_base base = JOB_BASE_KEPT; base <= JOB_BASE_LAST; base++) {
        unsigned char header[FRAME_HEADER_BYTES];
        int64_t without = memory_peak(run_sh("echo small"));
        const char *const argv[] = {made_path(), NULL};
        begin.size = 0;
        put_file(&begin, NULL, NULL);
        put_text(&begin, argv[0]);
        put_u32(&begin, 20 + PIECES * MIB);
        frame_header_write(header, FRAME_BASE, begin.size + 20 + PIECES * MIB);
        cell_write(&cell, header, sizeof header);
        cell_write(&cell, begin.bytes, begin.size);
        cell_write(&cell, "#!/bin/sh\necho;exit\n", 20);
        for (int i = 0; i < PIECES; i++) cell_write(&cell, piece, sizeof piece);
        const struct answer *answer = run((struct job_spec){.argv = argv, .base = (unsigned char)base});
        CHECK(strcmp(answer->out, "\n") == 0 && has_line(answer, "memory_source=rusage"));
        CHECK(memory_peak(answer) < without + 4 * MIB);
        CHECK(truncate(argv[0], 0) == 0);
    }
}

static void drops_half_a_base_with_its_host(void) {
    start(NULL);
    says_hello();
    cell_write(&cell, "B\0\0\1\0half", 9);
    CHECK(cell_end(&cell) == 0);
}

int main(int argc, char **argv) {
    begin(argc, argv);
    CHECK(is_refused(run_with(JOB_BASE_KEPT, "true"), NO_BASE));
    gives_each_job_its_own_copy();
    refuses_a_file_that_the_base_has();
    drops_it_after_its_last_use();
    holds_it_no_longer_while_the_last_job_runs();
    drops_it_for_a_job_without_one();
    keeps_it_when_a_job_is_refused();
    replaces_one_by_another();
    tells_the_fault_to_each_job_that_asks();
    takes_none_while_a_job_runs();
    runs_a_program_many_times();
    ends_where_a_program_does_not_run();
    hides_it_from_programs();
    counts_nothing_of_it_as_memory_of_a_program();
    CHECK(cell_end(&cell) == 0);
    drops_half_a_base_with_its_host();
    remove_root();
    return checks_done("base-test");
}
