/* Jobs whose input the host adds while they run, in plain mode: interactive-test LAUNCHER. */
#include "plain-cell.h"

#include <stdbool.h>

static struct answer answer;
static char filler[INPUT_BYTES_MAX + 1];

static void start_job(const char *script, const char *input) {
    send_job((struct job_spec){.argv = SH(script), .interactive = 1, .input = input});
    memset(&answer, 0, sizeof answer);
}

static void add(const char *text) {
    cell_input(&cell, last_number, text, strlen(text));
}

static void end_input(void) {
    cell_input(&cell, last_number, "", 0);
}

/* @returns whether the frame was the last */
static bool take_frame(void) {
    static unsigned char payload[FRAME_OUT_BYTES_MAX];
    char type;
    size_t size = cell_frame(&cell, &type, payload);
    return answer_take(&answer, type, payload, size) != 0;
}

static void await_output(const char *text) {
    while (strcmp(answer.out, text) != 0) CHECK(!take_frame());
}

static void await_confirmation(uint32_t total) {
    while (answer.confirmed != total) CHECK(!take_frame());
}

static void await_end(void) {
    while (!take_frame()) continue;
}

static void passes_on_each_frame_as_it_comes(void) {
    start_job("cat; echo end", "own\n");
    await_output("own\n");
    add("one\n");
    await_output("own\none\n");
    add("two\n");
    await_output("own\none\ntwo\n");
    await_confirmation(8);
    add("three\n");
    end_input();
    await_end();
    CHECK(strcmp(answer.out, "own\none\ntwo\nthree\nend\n") == 0 && has_line(&answer, "status=0"));
}

/* As soon as the job is sent: before its program starts. */
static void keeps_what_comes_early(void) {
    start_job("cat", "own\n");
    add("one\n");
    add("two\n");
    end_input();
    await_end();
    CHECK(strcmp(answer.out, "own\none\ntwo\n") == 0);
    CHECK(answer.types[0] == FRAME_STARTED);
}

static void ends_at_once_if_nothing_comes(void) {
    start_job("wc -c", "");
    end_input();
    await_end();
    CHECK(strcmp(answer.out, "0\n") == 0 && answer.confirmations == 0);
}

static void ends_only_when_the_host_says_so(void) {
    start_job("echo up; wc -c", "own");
    await_output("up\n");
    usleep(200000);
    add("more");
    await_confirmation(4);
    end_input();
    await_end();
    CHECK(strcmp(answer.out, "up\n7\n") == 0);
}

static void takes_megabytes_in_a_window(void) {
    enum { TOTAL = 3 * 1024 * 1024, PIECE = 10000 };
    start_job("sleep 0.1; wc -c", filler);
    for (uint32_t sent = 0; sent < TOTAL;) {
        uint32_t size = TOTAL - sent < PIECE ? TOTAL - sent : PIECE;
        while (sent + size - answer.confirmed > INPUT_BYTES_MAX) CHECK(!take_frame());
        cell_input(&cell, last_number, filler, size);
        sent += size;
    }
    end_input();
    await_end();
    char expected[32];
    snprintf(expected, sizeof expected, "%zu\n", TOTAL + strlen(filler));
    CHECK(strcmp(answer.out, expected) == 0);
}

/* What a pipe holds is taken, the rest is not. */
static void drops_what_a_program_never_reads(void) {
    start_job("echo up; sleep 60", "");
    await_output("up\n");
    cell_input(&cell, last_number, filler, INPUT_BYTES_MAX);
    await_confirmation(INPUT_BYTES_MAX);
    cell_input(&cell, last_number, filler, INPUT_BYTES_MAX);
    end_input();
    usleep(100000);
    struct pollfd fd = {.fd = cell.out, .events = POLLIN};
    CHECK(poll(&fd, 1, 0) == 0);
    cell_kill(&cell, last_number);
    await_end();
    CHECK(has_line(&answer, "killed=host"));
    send_job((struct job_spec){.argv = SH("exec sleep 60"), .interactive = 1, .timeout_ms = 200});
    cell_input(&cell, last_number, filler, INPUT_BYTES_MAX);
    CHECK(has_line(cell_answer(&cell), "killed=deadline"));
}

static void takes_all_once_a_program_has_closed_it(void) {
    start_job("read -r x; echo $x; exec <&-; sleep 0.3; echo on; sleep 60", "");
    cell_input(&cell, last_number, "go\n", 3);
    await_output("go\n");
    for (uint32_t total = 3, i = 0; i < 5; i++) {
        cell_input(&cell, last_number, filler, INPUT_BYTES_MAX);
        await_confirmation(total += INPUT_BYTES_MAX);
    }
    await_output("go\non\n");
    end_input();
    add("late");
    cell_kill(&cell, last_number);
    await_end();
    CHECK(has_line(&answer, "killed=host"));
}

/* More than its pipe holds is waiting when it closes it. */
static void takes_what_waits_when_a_program_closes_it(void) {
    start_job("sleep 0.2; exec <&-; echo closed; sleep 60", filler);
    cell_input(&cell, last_number, filler, INPUT_BYTES_MAX);
    await_confirmation(INPUT_BYTES_MAX);
    await_output("closed\n");
    cell_kill(&cell, last_number);
    await_end();
}

static void ignores_frames_for_other_jobs_and_after_the_end(void) {
    cell_input(&cell, last_number, "late", 4);
    start_job("cat", "own\n");
    cell_input(&cell, last_number - 1, "before", 6);
    cell_input(&cell, last_number + 1, filler, INPUT_BYTES_MAX);
    cell_input(&cell, last_number + 1, filler, INPUT_BYTES_MAX);
    add("one\n");
    end_input();
    add("late");
    end_input();
    cell_input(&cell, last_number, filler, INPUT_BYTES_MAX);
    cell_input(&cell, last_number, filler, INPUT_BYTES_MAX);
    await_end();
    CHECK(strcmp(answer.out, "own\none\n") == 0);
    cell_input(&cell, last_number, filler, INPUT_BYTES_MAX);
    /* Not interactive. */
    send_job((struct job_spec){.argv = SH("cat; sleep 0.1"), .input = "own\n"});
    for (int i = 0; i < 4; i++) cell_input(&cell, last_number, filler, INPUT_BYTES_MAX);
    const struct answer *other = cell_answer(&cell);
    CHECK(strcmp(other->out, "own\n") == 0 && other->confirmations == 0);
}

/* Where the host does not read, one confirmation waits, and says at last what all of them would have said. */
static void queues_one_confirmation(void) {
    enum { FRAMES = 2000, FULL_US = 300000 };
    send_job((struct job_spec){.argv = SH("exec 3<&0; cat <&3 >&- & exec yes"), .interactive = 1, .head_max = 1 << 30});
    memset(&answer, 0, sizeof answer);
    usleep(FULL_US);
    for (int i = 0; i < FRAMES; i++) cell_input(&cell, last_number, "x", 1);
    usleep(FULL_US);
    await_confirmation(FRAMES);
    CHECK(answer.confirmations <= 3);
    cell_kill(&cell, last_number);
    await_end();
}

/* Beyond about sixty jobs, a pipe that was not closed would be one too many. */
static void runs_many_in_a_row(void) {
    for (int i = 0; i < 100; i++) {
        start_job(i % 2 ? "cat" : "exit 0", "");
        add("x");
        if (i % 4) end_input();
        if (i % 4 == 0 && i % 2) cell_kill(&cell, last_number);
        await_end();
    }
}

static void ends_at_more_than_the_window(void) {
    int status;
    start_job("sleep 60", "");
    cell_input(&cell, last_number, filler, INPUT_BYTES_MAX);
    await_confirmation(INPUT_BYTES_MAX);
    cell_input(&cell, last_number, filler, INPUT_BYTES_MAX);
    add("x");
    CHECK(waitpid(cell.pid, &status, 0) == cell.pid && WIFEXITED(status) && WEXITSTATUS(status) == 64);
    close(cell.in);
    close(cell.out);
}

int main(int argc, char **argv) {
    memset(filler, 'x', sizeof filler - 1);
    begin(argc, argv);
    passes_on_each_frame_as_it_comes();
    keeps_what_comes_early();
    ends_at_once_if_nothing_comes();
    ends_only_when_the_host_says_so();
    takes_megabytes_in_a_window();
    drops_what_a_program_never_reads();
    takes_all_once_a_program_has_closed_it();
    takes_what_waits_when_a_program_closes_it();
    ignores_frames_for_other_jobs_and_after_the_end();
    queues_one_confirmation();
    runs_many_in_a_row();
    ends_at_more_than_the_window();
    remove_root();
    return checks_done("interactive-test");
}
