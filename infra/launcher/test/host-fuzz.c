/*
 * Output larger than every queue, and a host that reads it slowly, in bursts, or not until the
 * program is over: host-fuzz LAUNCHER. Every job has its trailer, and every byte that is to be kept,
 * without a word from the host. Between and during jobs, bases come, good and bad. The seed is fixed, so that a
 * failure happens again.
 */
#include "cell.h"
#include "random.h"

enum {
    ROUNDS = 80,
    PROGRAM_BYTES_MAX = 3 * 1024 * 1024,
    KEPT_MAX = 1024 * 1024,
    SPAN_BYTES_MAX = 96 * 1024,
    BASE_BYTES_MAX = 1024 * 1024,
    INPUT_MAX = 1024 * 1024,
    /* More than the pipe to the launcher, its queue, and the pipe to the host hold. */
    QUEUED_BYTES_MAX = 512 * 1024,
    /* A job that is over and not told would never come: no answer in this time is a failure. */
    QUIET_MS_MAX = 10000
};

/* How the host reads: up to `span` bytes at a time, then not for `pause_ms`. */
struct reading {
    size_t span;
    unsigned pause_ms;
    bool at_the_end;
};

static struct cell cell;
static char root[] = "/tmp/launcher-fuzz-XXXXXX";

static struct reading random_reading(void) {
    switch (below(4)) {
    case 0: /* as fast as it comes */
        return (struct reading){.span = SPAN_BYTES_MAX};
    case 1: /* a little at a time */
        return (struct reading){.span = 1 + below(8192), .pause_ms = 0};
    case 2: /* in bursts */
        return (struct reading){.span = 1 + below(SPAN_BYTES_MAX), .pause_ms = (unsigned)below(3)};
    default: /* when all of it has long been printed */
        return (struct reading){.span = SPAN_BYTES_MAX, .at_the_end = true};
    }
}

static void wait_ms(unsigned ms) {
    if (ms > 0) poll(NULL, 0, (int)ms);
}

/* The launcher's bytes, as they come, into one buffer: frames are taken out of it afterwards. */
struct received {
    unsigned char bytes[8 * 1024 * 1024];
    size_t size;
    size_t taken;
};

static void receive(struct received *received, const struct reading *reading) {
    struct pollfd fd = {.fd = cell.out, .events = POLLIN};
    CHECK(poll(&fd, 1, QUIET_MS_MAX) == 1);
    CHECK(received->size + reading->span <= sizeof received->bytes);
    ssize_t count = read(cell.out, received->bytes + received->size, reading->span);
    CHECK(count > 0);
    received->size += (size_t)count;
    wait_ms(reading->pause_ms);
}

/* @returns whether a whole frame was there */
static bool take_frame(struct received *received, char *type, const unsigned char **payload,
                       size_t *size) {
    size_t here = received->size - received->taken;
    const unsigned char *frame = received->bytes + received->taken;
    if (here < FRAME_HEADER_BYTES) return false;
    *size = u32_read(frame + 1);
    if (here < FRAME_HEADER_BYTES + *size) return false;
    *type = (char)frame[0];
    *payload = frame + FRAME_HEADER_BYTES;
    received->taken += FRAME_HEADER_BYTES + *size;
    return true;
}

struct kept {
    size_t head, tail;
};

static struct kept kept_of(size_t printed, const struct job_spec *spec) {
    size_t head = printed < spec->head_max ? printed : spec->head_max;
    size_t rest = printed - head;
    return (struct kept){head, rest < spec->tail_max ? rest : spec->tail_max};
}

static void answer_job(struct job_spec *spec, size_t out_printed, size_t err_printed) {
    static struct received received;
    struct reading reading = random_reading();
    struct kept out = kept_of(out_printed, spec), err = kept_of(err_printed, spec);
    size_t sizes[256] = {0};
    const unsigned char *payload;
    size_t size = 0;
    char type = 0;
    received.size = received.taken = 0;
    if (reading.at_the_end) wait_ms(50);
    while (type != FRAME_TRAILER) {
        while (!take_frame(&received, &type, &payload, &size)) receive(&received, &reading);
        CHECK(type != FRAME_REFUSED && u32_read(payload) == spec->number);
        sizes[(unsigned char)type] += size - FRAME_NUMBER_BYTES;
    }
    CHECK(sizes[FRAME_STDOUT] == out.head && sizes[FRAME_STDOUT_TAIL] == out.tail);
    CHECK(sizes[FRAME_STDERR] == err.head && sizes[FRAME_STDERR_TAIL] == err.tail);
    static char end[2048];
    CHECK(size - FRAME_NUMBER_BYTES < sizeof end);
    memcpy(end, payload + FRAME_NUMBER_BYTES, size - FRAME_NUMBER_BYTES);
    end[size - FRAME_NUMBER_BYTES] = 0;
    char counts[96];
    snprintf(counts, sizeof counts, "stdout_bytes=%zu\nstderr_bytes=%zu\n", out_printed, err_printed);
    CHECK(strstr(end, "killed=none\n") != NULL && strstr(end, counts) != NULL);
}

/* The base that the launcher must have now. */
static const char *base_fault = "malformed: there is no base";
static size_t base_file_bytes;

static void send_base(const char *fault, size_t size) {
    static struct job_bytes bytes;
    static char content[BASE_BYTES_MAX + 1];
    memset(content, 'x', size);
    content[size] = 0;
    struct base_spec spec = {.path = "base", .content = content};
    put_base(&bytes, &spec);
    if (strcmp(fault, "malformed: cut short") == 0) bytes.size = below(bytes.size);
    if (strcmp(fault, "malformed: trailing bytes") == 0) bytes.size++;
    cell_send(&cell, FRAME_BASE, bytes.bytes, bytes.size);
    base_fault = fault;
    base_file_bytes = size;
}

static void perhaps_send_base(void) {
    static const char *const faults[] = {"", "", "", "malformed: cut short", "malformed: trailing bytes"};
    while (below(2)) send_base(faults[below(5)], below(BASE_BYTES_MAX));
}

static void expect_refusal(uint32_t number, const char *refusal) {
    const struct answer *answer = cell_answer(&cell);
    CHECK(answer->number == number && strcmp(answer->types, "R") == 0 && strcmp(answer->end, refusal) == 0);
}

/* Nobody kills it: what the launcher does not notice by itself is never told. */
static void round_of(uint32_t number) {
    static struct job_bytes bytes;
    const char *const no_base = "malformed: there is no base";
    static const char *const env[] = {"PATH=/usr/bin:/bin", NULL};
    char folder[64], script[160];
    size_t out = below(PROGRAM_BYTES_MAX), err = below(4) == 0 ? below(PROGRAM_BYTES_MAX) : 0;
    snprintf(folder, sizeof folder, "%s/%u", root, number);
    perhaps_send_base();
    enum job_base base = (enum job_base)below(3);
    snprintf(script, sizeof script, "%s; head -c %zu /dev/zero; head -c %zu /dev/zero >&2",
             base == JOB_BASE_NONE ? "! cat base 2>&-" : "cat base", out, err);
    const char *const argv[] = {"sh", "-c", script, NULL};
    struct job_spec spec = {.number = number, .base = (unsigned char)base, .folder = folder, .argv = argv, .env = env,
                            .head_max = (uint32_t)below(KEPT_MAX), .tail_max = (uint32_t)below(KEPT_MAX)};
    put_job(&bytes, &spec);
    cell_send(&cell, FRAME_JOB, bytes.bytes, bytes.size);
    const char *refusal = base == JOB_BASE_NONE ? "" : base_fault;
    if (refusal[0] == 0 && base != JOB_BASE_NONE) out += base_file_bytes;
    if (base == JOB_BASE_NONE || (base == JOB_BASE_LAST && base_fault[0] == 0)) base_fault = no_base;
    /* The job cannot have ended: nobody has read its output. */
    if (refusal[0] == 0 && spec.head_max > QUEUED_BYTES_MAX && out > QUEUED_BYTES_MAX && below(2))
        send_base("malformed: the base arrived while a job ran", below(BASE_BYTES_MAX));
    if (refusal[0] != 0) expect_refusal(number, refusal);
    else answer_job(&spec, out, err);
}

/* A program, and how much of its input it prints. */
struct reader {
    const char *script;
    size_t prints;
};

static struct reader random_reader(void) {
    static const struct reader readers[] = {{"cat", SIZE_MAX},
                                            {"sleep 0.05; cat", SIZE_MAX},
                                            {"head -c 100000; exec <&-; sleep 0.05", 100000},
                                            {"exec <&-; sleep 0.05", 0},
                                            {"exit 0", 0}};
    return readers[below(5)];
}

static void input_of(char *bytes, size_t place, size_t size) {
    for (size_t i = 0; i < size; i++) bytes[i] = (char)((place + i) * 31 + (place + i) / 251);
}

/* Takes frames until there is room for more input in the window. @returns false if the job is over */
static bool await_room(struct answer *answer, size_t sent, size_t size) {
    static unsigned char payload[FRAME_OUT_BYTES_MAX];
    char type;
    while (sent + size - answer->confirmed > INPUT_BYTES_MAX) {
        size_t frame_size = cell_frame(&cell, &type, payload);
        if (answer_take(answer, type, payload, frame_size)) return false;
        CHECK(answer->confirmed <= sent);
    }
    return true;
}

/* Input in pieces of any size, to programs that read all of it, some of it, or none. */
static void interactive_round_of(uint32_t number) {
    static struct job_bytes bytes;
    static struct answer answer;
    static char input[INPUT_MAX], piece[INPUT_BYTES_MAX];
    static const char *const env[] = {"PATH=/usr/bin:/bin", NULL};
    struct reader reader = random_reader();
    size_t own = below(3) ? 0 : 1 + below(INPUT_MAX / 2), all = below(INPUT_MAX / 2), sent = 0;
    char folder[64];
    bool is_over = false;
    memset(&answer, 0, sizeof answer);
    input_of(input, 0, own);
    snprintf(folder, sizeof folder, "%s/%u", root, number);
    const char *const argv[] = {"sh", "-c", reader.script, NULL};
    struct job_spec spec = {.number = number, .folder = folder, .argv = argv, .env = env, .interactive = 1,
                            .input = input, .input_size = own, .head_max = 2 * INPUT_MAX};
    if (own == 0) spec.input = NULL;
    put_job(&bytes, &spec);
    cell_send(&cell, FRAME_JOB, bytes.bytes, bytes.size);
    while (sent < all && !is_over) {
        size_t size = 1 + below(below(2) ? 200 : INPUT_BYTES_MAX);
        if (size > all - sent) size = all - sent;
        is_over = !await_room(&answer, sent, size);
        input_of(piece, own + sent, size);
        cell_input(&cell, number, piece, size);
        sent += size;
    }
    cell_input(&cell, number, "", 0);
    if (!is_over) CHECK(!await_room(&answer, SIZE_MAX / 2, 0));
    CHECK(has_line(&answer, "status=0") && has_line(&answer, "killed=none"));
    size_t printed = own + sent < reader.prints ? own + sent : reader.prints;
    CHECK(answer.out_size == printed);
    for (size_t at = 0; at < printed; at += sizeof piece) {
        size_t size = printed - at < sizeof piece ? printed - at : sizeof piece;
        input_of(piece, at, size);
        CHECK(memcmp(answer.out + at, piece, size) == 0);
    }
}

int main(int argc, char **argv) {
    static unsigned char payload[FRAME_OUT_BYTES_MAX];
    char type, command[64];
    CHECK(argc == 2);
    CHECK(mkdtemp(root) != NULL);
    cell_start(&cell, (const char *const[]){argv[1], NULL});
    cell_frame(&cell, &type, payload);
    CHECK(type == FRAME_HELLO);
    random_seed(1);
    for (uint32_t number = 1; number <= ROUNDS; number++) round_of(number);
    for (uint32_t number = 1; number <= ROUNDS; number++) interactive_round_of(ROUNDS + number);
    CHECK(cell_end(&cell) == 0);
    snprintf(command, sizeof command, "rm -r %s", root);
    CHECK(system(command) == 0);
    return checks_done("host-fuzz");
}
