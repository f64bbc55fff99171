/*
 * Hostile input to the frame reader and the decoders of jobs and bases: cut, stretched, flipped, pure garbage. The
 * sanitizers judge. The seeds are fixed, so that a failure happens again.
 */
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base.h"
#include "check.h"
#include "fields.h"
#include "job-bytes.h"
#include "random.h"

enum { SEEDS = 4, ROUNDS_MAX = 200000, FUZZ_MS_MAX = 3000, FLIPS_MAX = 8, INTERESTING = 6 };

static void random_text(char *text, size_t size_max) {
    static const char letters[] = "abc/.=:\n%";
    size_t size = below(size_max);
    for (size_t i = 0; i < size; i++) text[i] = letters[below(sizeof letters - 1)];
    text[size] = 0;
}

static void random_job(struct job_bytes *job) {
    char texts[6][24];
    for (int i = 0; i < 6; i++) random_text(texts[i], sizeof texts[i]);
    const char *argv[] = {"bash", texts[0], texts[1], NULL}, *env[] = {"A=b", texts[2], NULL};
    struct job_spec spec = {.number = random_u32(), .isolation = (unsigned char)below(3),
                            .timeout_ms = random_u32(), .cpu_time_max = random_u32(), .head_max = random_u32(),
                            .tail_max = (uint32_t)below(1 << 20), .folder = "/tmp/work",
                            .argv = argv, .env = env, .path = texts[3], .content = texts[4],
                            .input = texts[5], .base = (unsigned char)below(4), .patterns = argv + below(4)};
    put_job(job, &spec);
}

static void random_base(struct job_bytes *base) {
    char texts[4][24];
    for (int i = 0; i < 4; i++) random_text(texts[i], sizeof texts[i]);
    struct base_spec spec = {.path = below(2) ? texts[0] : "a/b", .content = texts[1],
                             .program_path = below(2) ? "/tmp/made/it" : texts[2], .program = texts[3]};
    put_base(base, &spec);
}

/* One way to be wrong, at random. */
static void spoil(struct job_bytes *job) {
    static const uint32_t lengths[INTERESTING] = {0, 1, 0x7fffffff, 0x80000000, 0xfffffffc,
                                                  0xffffffff};
    switch (below(6)) {
    case 0:
        job->size = below(job->size + 1);
        break;
    case 1:
        for (size_t n = below(64); n > 0; n--)
            job->bytes[job->size++] = (unsigned char)random_u32();
        break;
    case 2:
        for (size_t n = below(FLIPS_MAX) + 1; n > 0; n--)
            job->bytes[below(job->size)] ^= (unsigned char)(1u << below(8));
        break;
    case 3:
        u32_write(job->bytes + below(job->size - 3), lengths[below(INTERESTING)]);
        break;
    case 4:
        for (size_t i = 0; i < job->size; i++) job->bytes[i] = (unsigned char)random_u32();
        break;
    default:
        break;
    }
}

/* Touches everything that a decoded job points to. */
static size_t read_through(const struct job *job) {
    size_t sum = strlen(job->folder);
    for (size_t i = 0; job->argv[i] != NULL; i++) sum += strlen(job->argv[i]);
    for (size_t i = 0; job->env[i] != NULL; i++) sum += strlen(job->env[i]);
    for (size_t i = 0; i < job->file_count; i++) {
        const struct job_file *file = &job->files[i];
        CHECK(file->path[0] != '/' && file->path[0] != 0);
        CHECK(strcmp(file->path, "..") != 0 && strncmp(file->path, "../", 3) != 0);
        CHECK(strstr(file->path, "/../") == NULL);
        sum += strlen(file->path);
        for (size_t j = 0; j < file->size; j++) sum += file->content[j];
    }
    for (size_t i = 0; i < job->input_size; i++) sum += job->input[i];
    for (unsigned i = 0; i < job->collect.globs.count; i++) sum += strlen(job->collect.globs.glob[i].text);
    return sum;
}

static bool is_refusal(const char *refusal) {
    return strncmp(refusal, "malformed: ", 11) == 0 || strncmp(refusal, "input: ", 7) == 0;
}

static bool fuzz_job(struct job_bytes *bytes) {
    static struct job job;
    unsigned char *copy = malloc(bytes->size == 0 ? 1 : bytes->size);
    memcpy(copy, bytes->bytes, bytes->size);
    const char *refusal = job_decode(&job, copy, bytes->size);
    if (refusal == NULL) read_through(&job);
    else CHECK(is_refusal(refusal));
    free(copy);
    return refusal == NULL;
}

/* What an init finds in the file that holds it: paths that stay inside, and parts that follow each other. */
static void read_base(const struct base *base) {
    struct base_part part;
    uint32_t at = base_files_at();
    for (uint32_t i = 0; i < base->file_count; i++) {
        CHECK(base_read(base, &at, &part) && at <= base->program_at);
        CHECK(part.path[0] != '/' && path_is_plain(part.path, strlen(part.path)));
    }
    CHECK(at == base->program_at);
    if (base->program_size == 0) return;
    CHECK(base_read(base, &at, &part) && at == base->size && part.content_size == base->program_size);
    CHECK(path_is_absolute(part.path, strlen(part.path)));
}

static bool fuzz_base(const struct job_bytes *bytes, int file) {
    struct base base = {.fd = file, .size = (uint32_t)bytes->size};
    unsigned char *copy = malloc(bytes->size == 0 ? 1 : bytes->size);
    memcpy(copy, bytes->bytes, bytes->size);
    const char *refusal = base_decode(&base, copy, bytes->size);
    CHECK(memcmp(copy, bytes->bytes, bytes->size) == 0);
    if (refusal == NULL) {
        CHECK(pwrite(file, copy, bytes->size, 0) == (ssize_t)bytes->size && ftruncate(file, (off_t)bytes->size) == 0);
        read_base(&base);
    } else {
        CHECK(is_refusal(refusal));
    }
    free(copy);
    return refusal == NULL;
}

/* A stream of frames, some of them spoiled, in pieces of random size. */
static void fuzz_frames(const struct job_bytes *bytes, enum frame_type type) {
    static unsigned char stream[FRAME_HEADER_BYTES + JOB_BYTES_MAX + 64];
    struct frame_reader reader = {0};
    enum frame_state result = FRAME_PARTIAL;
    unsigned char *base = NULL;
    size_t size = FRAME_HEADER_BYTES + bytes->size;
    frame_header_write(stream, type, bytes->size);
    memcpy(stream + FRAME_HEADER_BYTES, bytes->bytes, bytes->size);
    /* Rarely: a wrong length is mostly a large one, whose memory takes its time. */
    if (below(40) == 0) stream[below(FRAME_HEADER_BYTES)] = (unsigned char)random_u32();
    for (size_t at = 0; at < size && result == FRAME_PARTIAL;) {
        size_t room;
        unsigned char *to = frame_room(&reader, &room);
        CHECK(room > 0 && room <= FRAME_IN_BYTES_MAX);
        size_t count = below(room < size - at ? room : size - at) + 1;
        memcpy(to, stream + at, count);
        at += count;
        result = frame_advance(&reader, count);
        if (result == FRAME_BASE_BEGINS) {
            base = below(2) ? malloc(reader.payload_size + 1) : NULL;
            result = frame_receive(&reader, base);
        }
    }
    CHECK(result != FRAME_NO_MEMORY);
    frame_reset(&reader);
    free(base);
    CHECK(reader.payload == NULL && reader.header_have == 0);
}

static long elapsed_ms(const struct timespec *since) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - since->tv_sec) * 1000 + (now.tv_nsec - since->tv_nsec) / 1000000;
}

int main(void) {
    static struct job_bytes bytes;
    struct timespec begin;
    unsigned long rounds = 0, decoded = 0, bases = 0;
    int file = memfd_create("base", MFD_CLOEXEC);
    CHECK(file >= 0);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        random_seed(seed);
        for (int i = 0; i < ROUNDS_MAX / SEEDS; i++) {
            if (elapsed_ms(&begin) > FUZZ_MS_MAX * (long)seed / SEEDS) break;
            random_job(&bytes);
            if (below(4) != 0) spoil(&bytes);
            decoded += fuzz_job(&bytes);
            fuzz_frames(&bytes, FRAME_JOB);
            random_base(&bytes);
            if (below(4) != 0) spoil(&bytes);
            bases += fuzz_base(&bytes, file);
            fuzz_frames(&bytes, FRAME_BASE);
            fuzz_frames(&bytes, FRAME_INPUT);
            rounds++;
        }
    }
    /* Else the fuzzer itself would be what is broken: everything, or nothing, was refused. */
    CHECK(decoded > 0 && decoded < rounds && bases > 0 && bases < rounds);
    printf("fuzz: %lu rounds, %lu of them a valid job, %lu a valid base\n", rounds, decoded, bases);
    return checks_done("fuzz");
}
