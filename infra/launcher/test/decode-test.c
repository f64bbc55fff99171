/* The decoders of jobs and bases, and the reading of cgroup files. */
#include <stdbool.h>

#include "base.h"
#include "cgroup.h"
#include "check.h"
#include "job-bytes.h"

static const char *const ARGV[] = {"bash", "main.sh", "", NULL};
static const char *const ENV[] = {"HOME=/tmp", "EMPTY=", NULL};
static const char *const PATTERNS[] = {"*.png", "out/**", NULL};

static struct job_bytes bytes;
static struct job job;

static struct job_spec usual(void) {
    return (struct job_spec){.number = 7, .isolation = 1, .timeout_ms = 1000, .cpu_time_max = 500, .head_max = 10,
                             .tail_max = 20, .folder = "/tmp/work", .argv = ARGV, .env = ENV,
                             .path = "a/b.txt", .content = "content", .input = "input", .patterns = PATTERNS};
}

/* An exact copy on the heap, so that the sanitizer sees a byte too many. */
static const char *decode(size_t size) {
    static unsigned char *copy;
    free(copy);
    copy = malloc(size == 0 ? 1 : size);
    memcpy(copy, bytes.bytes, size);
    return job_decode(&job, copy, size);
}

static const char *decode_spec(struct job_spec spec) {
    put_job(&bytes, &spec);
    return decode(bytes.size);
}

static bool refused(const char *refusal, const char *kind) {
    return refusal != NULL && strncmp(refusal, kind, strlen(kind)) == 0;
}

static void reads_a_whole_job(void) {
    CHECK(decode_spec(usual()) == NULL);
    CHECK(job.number == 7 && job.nested && job.timeout_ms == 1000 && job.cpu_time_ms_max == 500);
    CHECK(job.head_bytes_max == 10 && job.tail_bytes_max == 20);
    CHECK(job.tmp_size_kib == 16384 && job.tmp_inodes_max == 1024 && job.shm_size_kib == 4096);
    CHECK(job.memory_mb == 64 && job.cpus_milli == 1000 && job.pids == 32 && job.cpu_first == 3);
    CHECK(strcmp(job.folder, "/tmp/work") == 0);
    CHECK(strcmp(job.argv[0], "bash") == 0 && strcmp(job.argv[1], "main.sh") == 0);
    CHECK(strcmp(job.argv[2], "") == 0 && job.argv[3] == NULL);
    CHECK(strcmp(job.env[0], "HOME=/tmp") == 0 && strcmp(job.env[1], "EMPTY=") == 0);
    CHECK(job.env[2] == NULL && job.file_count == 1);
    CHECK(strcmp(job.files[0].path, "a/b.txt") == 0);
    CHECK(job.files[0].size == 7 && memcmp(job.files[0].content, "content", 7) == 0);
    CHECK(job.input_size == 5 && memcmp(job.input, "input", 5) == 0);
    CHECK(job.collect.globs.count == 2 && strcmp(job.collect.globs.glob[0].text, "*.png") == 0);
    CHECK(job.collect.files_max == 64 && job.collect.file_bytes_max == 1 << 20 && job.collect.bytes_max == 2 << 20);
}

static void refuses_patterns_that_are_too_many_or_leave_the_folder(void) {
    static const char *const outside[] = {"../*", NULL};
    const char *many[GLOBS_MAX + 2] = {NULL};
    struct job_spec spec = usual();
    spec.patterns = outside;
    CHECK(refused(decode_spec(spec), "input: "));
    for (int i = 0; i <= GLOBS_MAX; i++) many[i] = "*";
    spec.patterns = many;
    CHECK(refused(decode_spec(spec), "malformed: "));
    many[GLOBS_MAX] = NULL;
    CHECK(decode_spec(spec) == NULL);
    char too_long[COLLECT_PATH_BYTES_MAX + 2];
    memset(too_long, 'a', sizeof too_long);
    too_long[COLLECT_PATH_BYTES_MAX + 1] = 0;
    spec.except = too_long;
    CHECK(refused(decode_spec(spec), "malformed: "));
    spec.except = too_long + 1;
    CHECK(decode_spec(spec) == NULL && strcmp(job.collect.except, too_long + 1) == 0);
    spec.files_max = COLLECT_FILES_MAX + 1;
    CHECK(refused(decode_spec(spec), "malformed: "));
}

static void refuses_every_cut_and_any_trailing_byte(void) {
    struct job_spec spec = usual();
    put_job(&bytes, &spec);
    for (size_t size = 0; size < bytes.size; size++) CHECK(refused(decode(size), "malformed: "));
    CHECK(decode(3) != NULL && job.number == 0);
    CHECK(decode(4) != NULL && job.number == 7);
    bytes.bytes[bytes.size] = 0;
    CHECK(refused(decode(bytes.size + 1), "malformed: trailing"));
}

static void refuses_paths_that_leave_the_folder(void) {
    static const char *const bad[] = {"/a", "..", "a/..", "../a", "a/../b", ".", "a/.", "./a",
                                      "",   "/",  "a/",   "a//b", NULL};
    static const char *const good[] = {"a", "...", "..a", "a..", ".a/b", "a/b/c", "a b", NULL};
    struct job_spec spec = usual();
    for (int i = 0; bad[i] != NULL; i++) {
        spec.path = bad[i];
        CHECK(refused(decode_spec(spec), "input: "));
    }
    for (int i = 0; good[i] != NULL; i++) {
        spec.path = good[i];
        CHECK(decode_spec(spec) == NULL);
    }
    static const char *const folders[] = {"tmp", "/", "", "/tmp/../etc", "/tmp/", "//tmp", NULL};
    spec = usual();
    for (int i = 0; folders[i] != NULL; i++) {
        spec.folder = folders[i];
        CHECK(refused(decode_spec(spec), "input: "));
    }
}

static void refuses_a_path_that_is_too_long(void) {
    char path[JOB_PATH_BYTES_MAX + 2];
    struct job_spec spec = usual();
    memset(path, 'a', sizeof path);
    path[JOB_PATH_BYTES_MAX + 1] = 0;
    spec.path = path;
    CHECK(refused(decode_spec(spec), "input: "));
    path[JOB_PATH_BYTES_MAX] = 0;
    CHECK(decode_spec(spec) == NULL);
}

static void refuses_nul_in_a_string(void) {
    struct job_spec spec = usual();
    put_job(&bytes, &spec);
    unsigned char *found = memmem(bytes.bytes, bytes.size, "main.sh", 7);
    found[4] = 0;
    CHECK(refused(decode(bytes.size), "malformed: NUL"));
}

static void refuses_what_is_no_program_or_no_variable(void) {
    static const char *const nothing[] = {NULL}, *const empty[] = {"", NULL};
    static const char *const no_equals[] = {"PATH", NULL}, *const no_name[] = {"=x", NULL};
    struct job_spec spec = usual();
    spec.argv = nothing;
    CHECK(refused(decode_spec(spec), "malformed: "));
    spec.argv = empty;
    CHECK(refused(decode_spec(spec), "malformed: "));
    spec = usual();
    spec.env = no_equals;
    CHECK(refused(decode_spec(spec), "malformed: "));
    spec.env = no_name;
    CHECK(refused(decode_spec(spec), "malformed: "));
}

/* number, isolation, preload, base, interactive, two times, two sizes of output: what precedes the limits. */
enum { LIMITS_AT = 4 + 4 * 1 + 4 * 4 };

static void refuses_limits_that_are_none(void) {
    struct job_spec spec = usual();
    spec.isolation = 2;
    CHECK(refused(decode_spec(spec), "malformed: "));
    spec = usual();
    spec.preload = 2;
    CHECK(refused(decode_spec(spec), "malformed: "));
    spec.preload = 1;
    CHECK(decode_spec(spec) == NULL && job.preload);
    for (unsigned char interactive = 0; interactive < 3; interactive++) {
        spec.interactive = interactive;
        CHECK((decode_spec(spec) == NULL) == (interactive <= 1) && job.interactive == (interactive == 1));
    }
    spec.interactive = 0;
    for (unsigned char base = 0; base < 4; base++) {
        spec.base = base;
        CHECK((decode_spec(spec) == NULL) == (base <= JOB_BASE_LAST) && (base > JOB_BASE_LAST || job.base == base));
    }
    spec = usual();
    spec.tail_max = JOB_TAIL_BYTES_MAX + 1;
    CHECK(refused(decode_spec(spec), "malformed: "));
    /* Sizes of /tmp and /dev/shm, for nested jobs; memory, CPUs and processes, for all. */
    for (size_t field = 0; field < 6; field++) {
        spec = usual();
        put_job(&bytes, &spec);
        u32_write(bytes.bytes + LIMITS_AT + 4 * field, 0);
        CHECK(refused(decode(bytes.size), "malformed: "));
        spec.isolation = 0;
        put_job(&bytes, &spec);
        u32_write(bytes.bytes + LIMITS_AT + 4 * field, 0);
        CHECK((decode(bytes.size) == NULL) == (field < 3));
    }
    spec = usual();
    spec.cpus_milli = JOB_CPUS_MILLI_MAX;
    CHECK(decode_spec(spec) == NULL);
    spec.cpus_milli++;
    CHECK(refused(decode_spec(spec), "malformed: "));
}

static void refuses_too_many(void) {
    static const char *many[JOB_ARGS_MAX + 2];
    struct job_spec spec = usual();
    for (int i = 0; i <= JOB_ARGS_MAX; i++) many[i] = "a=b";
    spec.argv = many;
    CHECK(refused(decode_spec(spec), "malformed: "));
    many[JOB_ARGS_MAX] = NULL;
    CHECK(decode_spec(spec) == NULL && job.argv[JOB_ARGS_MAX] == NULL);
}

static struct base base;

static const char *decode_base(size_t size) {
    static unsigned char *copy;
    free(copy);
    copy = malloc(size == 0 ? 1 : size);
    memcpy(copy, bytes.bytes, size);
    return base_decode(&base, copy, size);
}

static const char *decode_base_spec(struct base_spec spec) {
    put_base(&bytes, &spec);
    return decode_base(bytes.size);
}

static void reads_a_base(void) {
    struct base_spec spec = {"a/b", "content", "/tmp/made/it", "program"};
    CHECK(decode_base_spec(spec) == NULL && base.file_count == 1 && base.program_size == 7);
    CHECK(base.program_at == 4 + 4 + 3 + 4 + 7);
    for (size_t size = 0; size < bytes.size; size++) CHECK(refused(decode_base(size), "malformed: cut short"));
    bytes.bytes[bytes.size] = 0;
    CHECK(refused(decode_base(bytes.size + 1), "malformed: trailing"));
    bytes.bytes[9] = 0;
    CHECK(refused(decode_base(bytes.size), "malformed: NUL"));
    CHECK(decode_base_spec((struct base_spec){0}) == NULL && base.file_count == 0 && base.program_size == 0);
    u32_write(bytes.bytes, JOB_FILES_MAX + 1);
    CHECK(refused(decode_base(bytes.size), "malformed: too many"));
    spec.program_path = "tmp/made/it";
    CHECK(refused(decode_base_spec(spec), "malformed: a compiled program needs an absolute path"));
    spec.program = "";
    CHECK(decode_base_spec(spec) == NULL);
    spec.path = "a/../b";
    CHECK(refused(decode_base_spec(spec), "input: a path must be relative"));
}

static void refuses_a_program_path_that_is_too_long(void) {
    char path[1 + JOB_PATH_BYTES_MAX + 2] = "/";
    memset(path + 1, 'a', JOB_PATH_BYTES_MAX + 1);
    CHECK(refused(decode_base_spec((struct base_spec){.program_path = path, .program = "x"}), "malformed: "));
    path[1 + JOB_PATH_BYTES_MAX] = 0;
    CHECK(decode_base_spec((struct base_spec){.program_path = path, .program = "x"}) == NULL);
}

static void finds_the_numbers_of_a_cgroup(void) {
    CHECK(number_after("12345\n", "") == 12345);
    CHECK(number_after("max\n", "") == -1 && number_after("", "") == -1);
    const char *events = "low 1\nhigh 2\noom 3\noom_kill 4\noom_group_kill 5\n";
    CHECK(number_after(events, "oom_kill") == 4 && number_after(events, "oom") == 3);
    CHECK(number_after(events, "oom_k") == -1 && number_after(events, "nothing") == -1);
    CHECK(number_after("usage_usec 9007199254740993", "usage_usec") == 9007199254740993);
}

int main(void) {
    reads_a_whole_job();
    refuses_every_cut_and_any_trailing_byte();
    refuses_patterns_that_are_too_many_or_leave_the_folder();
    refuses_paths_that_leave_the_folder();
    refuses_a_path_that_is_too_long();
    refuses_nul_in_a_string();
    refuses_what_is_no_program_or_no_variable();
    refuses_limits_that_are_none();
    refuses_too_many();
    reads_a_base();
    refuses_a_program_path_that_is_too_long();
    finds_the_numbers_of_a_cgroup();
    return checks_done("decode-test");
}
