/*
 * The launcher as a whole, in plain mode, which needs no privileges: end-to-end-test LAUNCHER.
 * (Nested jobs need a container: test/integration has them.)
 */
#include "plain-cell.h"

#include <sched.h>
#include <time.h>

static void wait_for_output(void) {
    static unsigned char payload[FRAME_OUT_BYTES_MAX];
    char type = 0;
    while (type != FRAME_STDOUT) cell_frame(&cell, &type, payload);
}

/* @returns whether the launcher has that answer to the order to start its interpreter */
static int preloads(const char *state) {
    static unsigned char payload[FRAME_OUT_BYTES_MAX + 1];
    char type;
    cell_send(&cell, FRAME_PRELOAD, "", 0);
    size_t size = cell_frame(&cell, &type, payload);
    payload[size] = 0;
    return type == FRAME_PRELOAD && strcmp((char *)payload, state) == 0;
}

/* A plain job never gets it. */
static void tells_whether_an_interpreter_is_preloaded(void) {
    start("printf ! >&3; read -r x <&3");
    says_hello();
    CHECK(has_line(run_sh("true"), "preload=unused"));
    CHECK(preloads("ready") && preloads("ready"));
    CHECK(has_line(run((struct job_spec){.argv = SH("echo ran"), .preload = 1}), "preload=unused"));
    CHECK(cell_end(&cell) == 0);
    start("exit 3");
    says_hello();
    CHECK(preloads("failed") && preloads("failed"));
    CHECK(has_line(run_sh("true"), "preload=unused"));
    CHECK(cell_end(&cell) == 0);
    start("printf too-much >&3; sleep 60");
    says_hello();
    CHECK(preloads("failed"));
    CHECK(cell_end(&cell) == 0);
    start(NULL);
    says_hello();
    CHECK(preloads("none"));
    CHECK(cell_end(&cell) == 0);
}

static void reports_output_and_exit_code(void) {
    const struct answer *answer = run_sh("echo out; echo err >&2; exit 3");
    CHECK(strcmp(answer->out, "out\n") == 0 && strcmp(answer->err, "err\n") == 0);
    CHECK(answer->types[0] == FRAME_STARTED && strchr(answer->types, FRAME_TRAILER) != NULL);
    CHECK(has_line(answer, "status=768") && has_line(answer, "killed=none"));
    CHECK(has_line(answer, "stdout_bytes=4") && has_line(answer, "stdout_truncated=0"));
}

static void tells_a_signal_from_an_exit_code(void) {
    CHECK(has_line(run_sh("kill -TERM $$"), "status=15"));
    CHECK(has_line(run_sh("kill -KILL $$"), "status=9"));
    CHECK(has_line(run_sh("exit 137"), "status=35072"));
}

static int64_t clock_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Also of a program that is over before the launcher has heard of its start. */
static void counts_the_time_from_the_exec_on(void) {
    static const char *const shortest[] = {"/bin/true", NULL};
    for (int i = 0; i < 200; i++) {
        int64_t sent = clock_us();
        const struct answer *answer = run((struct job_spec){.argv = shortest});
        const char *wall = strstr(answer->end, "\nwall_us=");
        CHECK(wall != NULL);
        int64_t wall_us = strtoll(wall + strlen("\nwall_us="), NULL, 10);
        CHECK(wall_us > 0 && wall_us < clock_us() - sent);
    }
}

static void gives_files_input_and_environment(void) {
    static const char *const env[] = {"A=1", "EMPTY=", NULL};
    static const char *const print_env[] = {"/usr/bin/env", NULL};
    const struct answer *answer = run((struct job_spec){.argv = print_env, .env = env});
    CHECK(strcmp(answer->out, "A=1\nEMPTY=\nPATH=/usr/bin:/bin\n") == 0);
    answer = run((struct job_spec){.argv = SH("cat a/b; cat; pwd; umask"),
                                   .path = "a/b", .content = "file\n", .input = "input\n"});
    char expected[128];
    snprintf(expected, sizeof expected, "file\ninput\n%s/%u\n0022\n", root, last_number);
    CHECK(strcmp(answer->out, expected) == 0);
}

/* More than a pipe holds, to programs that read all of it, some of it, none of it, or late. */
static void gives_an_input_larger_than_a_pipe(void) {
    enum { SIZE = 3 * 1024 * 1024 };
    static char input[SIZE];
    memset(input, 'x', SIZE);
    memcpy(input + SIZE - 4, "end\n", 4);
    struct job_spec spec = {.input = input, .input_size = SIZE};
    spec.argv = SH("wc -c; tail -n 1");
    CHECK(strstr(run(spec)->out, "3145728\n") != NULL);
    spec.argv = SH("tail -c 4");
    CHECK(strcmp(run(spec)->out, "end\n") == 0);
    spec.argv = SH("head -c 3; exec <&-; sleep 0.1; echo on");
    CHECK(strcmp(run(spec)->out, "xxxon\n") == 0);
    spec.argv = SH("exit 5");
    CHECK(has_line(run(spec), "status=1280"));
    spec.argv = SH("sleep 0.2; wc -c");
    CHECK(strcmp(run(spec)->out, "3145728\n") == 0);
    spec.argv = SH("cat");
    spec.head_max = SIZE;
    CHECK(run(spec)->out_size == SIZE);
    spec.argv = SH("cat & wait; exit 3");
    CHECK(has_line(run(spec), "status=768"));
    spec.argv = SH("sleep 60");
    spec.timeout_ms = 200;
    CHECK(has_line(run(spec), "killed=deadline"));
    CHECK(strcmp(run((struct job_spec){.argv = SH("wc -c")})->out, "0\n") == 0);
}

static void hands_down_nothing_else(void) {
    static const char *const signals[] = {"grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status", NULL};
    CHECK(strcmp(run_sh("echo /proc/self/fd/*")->out,
                 "/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3\n") == 0);
    CHECK(strcmp(run((struct job_spec){.argv = signals})->out,
                 "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n") == 0);
    CHECK(strcmp(run_sh("grep -E '^(CapPrm|CapEff|NoNewPrivs|Seccomp):' /proc/self/status")->out,
                 "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\n"
                 "Seccomp:\t2\n") == 0);
    CHECK(strcmp(run_sh("cat /proc/self/oom_score_adj")->out, "1000\n") == 0);
}

/* As many as its limit, rounded up, of those that the launcher itself may use. */
static void gives_as_many_cpus_as_the_limit_says(void) {
    static const char *const count[] = {"nproc", NULL};
    cpu_set_t own;
    CHECK(sched_getaffinity(0, sizeof own, &own) == 0);
    for (uint32_t milli = 250; milli <= 4000; milli += 250) {
        const struct answer *answer =
            run((struct job_spec){.argv = count, .cpus_milli = milli});
        int expected = ((int)milli + 999) / 1000;
        if (expected > CPU_COUNT(&own)) expected = CPU_COUNT(&own);
        CHECK(atoi(answer->out) == expected);
    }
}

static void keeps_head_and_tail_and_counts_all(void) {
    struct job_spec spec = {.argv = SH("head -c 300000 /dev/zero; printf end"), .head_max = 1000,
                            .tail_max = 100};
    const struct answer *answer = run(spec);
    CHECK(answer->out_size == 1000 && answer->out_tail_size == 100);
    CHECK(memcmp(answer->out_tail + 97, "end", 3) == 0);
    CHECK(has_line(answer, "stdout_bytes=300003") && has_line(answer, "stdout_truncated=1"));
    spec.argv = SH("printf 123456");
    spec.head_max = 4;
    spec.tail_max = 4;
    answer = run(spec);
    CHECK(strcmp(answer->out, "1234") == 0 && strcmp(answer->out_tail, "56") == 0);
    CHECK(has_line(answer, "stdout_truncated=0"));
    CHECK(strcmp(answer->types, "SOoT") == 0);
}

static void takes_no_output_for_a_frame(void) {
    const struct answer *answer = run_sh("printf 'T\\0\\0\\0\\4\\0\\0\\0\\1'; exit 1");
    CHECK(answer->out_size == 9 && has_line(answer, "status=256"));
}

static void ends_a_job_at_its_deadline(void) {
    const struct answer *answer =
        run((struct job_spec){.argv = SH("echo before; sleep 60"), .timeout_ms = 200});
    CHECK(strcmp(answer->out, "before\n") == 0);
    CHECK(has_line(answer, "status=9") && has_line(answer, "killed=deadline"));
}

/* Where the test has no cgroup of its own, the counter is of everything on the host, or there is none. */
static void ends_a_job_at_its_limit_of_cpu_time(void) {
    if (has_line(run_sh(":"), "cpu_us=-1")) return;
    const struct answer *answer = run((struct job_spec){
        .argv = SH("echo before; while :; do :; done & while :; do :; done"), .cpu_time_max = 200, .timeout_ms = 30000});
    CHECK(strcmp(answer->out, "before\n") == 0);
    CHECK(has_line(answer, "status=9") && has_line(answer, "killed=cpu_time"));
}

static void obeys_a_kill_of_this_job_only(void) {
    send_job((struct job_spec){.argv = SH("trap '' TERM; echo up; sleep 0.3; echo on; sleep 60")});
    wait_for_output();
    cell_kill(&cell, last_number - 1);
    cell_kill(&cell, last_number + 1);
    wait_for_output();
    cell_kill(&cell, last_number);
    const struct answer *answer = cell_answer(&cell);
    CHECK(has_line(answer, "status=9") && has_line(answer, "killed=host"));
    cell_kill(&cell, last_number);
    CHECK(has_line(run_sh("true"), "status=0"));
}

static void leaves_no_process_behind(void) {
    const struct answer *answer =
        run_sh("setsid sh -c 'sleep 60 & echo $!; wait' & while ! read -r x; do :; done <<.\nx\n.\n"
               "sleep 0.2; echo $!");
    long inner, outer;
    CHECK(sscanf(answer->out, "%ld %ld", &inner, &outer) == 2);
    CHECK(kill((pid_t)inner, 0) != 0 && errno == ESRCH);
    CHECK(kill((pid_t)outer, 0) != 0 && errno == ESRCH);
}

static void finds_the_program_whatever_path_it_gets(void) {
    static const char *const nowhere[] = {"PATH=/nowhere", NULL};
    static const char *const print_env[] = {"env", NULL};
    const struct answer *answer = run((struct job_spec){.argv = print_env, .env = nowhere});
    CHECK(strcmp(answer->out, "PATH=/nowhere\n") == 0);
}

static void refuses_what_cannot_run(void) {
    static const char *const nothing[] = {"no-such-program", NULL};
    static const char *const no_program[] = {"/etc/passwd", NULL};
    const struct answer *answer = run((struct job_spec){.argv = nothing});
    CHECK(strcmp(answer->types, "R") == 0);
    CHECK(strcmp(answer->end, "input: no such program: no-such-program") == 0);
    answer = run((struct job_spec){.argv = no_program});
    CHECK(strcmp(answer->end, "input: /etc/passwd: Permission denied") == 0);
    answer = run((struct job_spec){.argv = SH("true"), .path = "../x", .content = ""});
    CHECK(strncmp(answer->end, "input: ", 7) == 0);
    cell_send(&cell, FRAME_JOB, "\0\0\0\7x", 5);
    answer = cell_answer(&cell);
    CHECK(answer->number == 7 && strncmp(answer->end, "malformed: ", 11) == 0);
    send_job((struct job_spec){.argv = SH("echo up; sleep 60")});
    wait_for_output();
    cell_send(&cell, FRAME_JOB, "\0\0\0\7x", 5);
    CHECK(strncmp(cell_answer(&cell)->end, "malformed: ", 11) == 0);
    cell_kill(&cell, last_number);
    CHECK(has_line(cell_answer(&cell), "killed=host"));
}

/* Megabytes of output that nobody reads; the launcher must still listen. */
static void obeys_while_nobody_reads(void) {
    send_job((struct job_spec){.argv = SH("exec yes"), .head_max = 1 << 30});
    usleep(300000);
    cell_kill(&cell, last_number);
    usleep(100000);
    const struct answer *answer = cell_answer(&cell);
    CHECK(has_line(answer, "killed=host") && answer->out_size > 256 * 1024);
    char line[64];
    snprintf(line, sizeof line, "stdout_bytes=%zu", answer->out_size);
    CHECK(has_line(answer, line));
}

/* Beyond about sixty jobs, a descriptor that was not closed would be one too many. */
static void runs_many_jobs_in_a_row(void) {
    for (int i = 0; i < 200; i++) CHECK(has_line(run_sh("true"), "status=0"));
}

static void ends_with_its_host(void) {
    send_job((struct job_spec){.argv = SH("echo $$; exec sleep 60")});
    wait_for_output();
    close(cell.in);
    const struct answer *answer = cell_answer(&cell);
    CHECK(has_line(answer, "killed=host"));
    int status;
    CHECK(waitpid(cell.pid, &status, 0) == cell.pid && status == 0);
    close(cell.out);
}

static void ends_at_a_malformed_frame(void) {
    start(NULL);
    says_hello();
    cell_write(&cell, "X\0\0\0\0", 5);
    int status = cell_end(&cell);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 64);
    start(NULL);
    says_hello();
    cell_write(&cell, "J\0\0", 3);
    CHECK(cell_end(&cell) == 0);
}

int main(int argc, char **argv) {
    begin(argc, argv);
    reports_output_and_exit_code();
    tells_a_signal_from_an_exit_code();
    counts_the_time_from_the_exec_on();
    gives_files_input_and_environment();
    gives_an_input_larger_than_a_pipe();
    hands_down_nothing_else();
    gives_as_many_cpus_as_the_limit_says();
    keeps_head_and_tail_and_counts_all();
    takes_no_output_for_a_frame();
    ends_a_job_at_its_deadline();
    ends_a_job_at_its_limit_of_cpu_time();
    obeys_a_kill_of_this_job_only();
    leaves_no_process_behind();
    finds_the_program_whatever_path_it_gets();
    refuses_what_cannot_run();
    obeys_while_nobody_reads();
    runs_many_jobs_in_a_row();
    ends_with_its_host();
    ends_at_a_malformed_frame();
    tells_whether_an_interpreter_is_preloaded();
    remove_root();
    return checks_done("end-to-end-test");
}
