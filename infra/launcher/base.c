#include "base.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "descriptors.h"
#include "fields.h"
#include "frames.h"

enum {
    LENGTH_BYTES = 4,
    /* Of one copy. They end at its multiples, so that no page is in two of them. */
    PIECE_BYTES = 256 * 1024
};

/* Newer than the headers of Debian 12 (memfd_create(2)). */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif

void base_open(struct base_holder *holder) {
    *holder = (struct base_holder){.base.fd = -1, .fault = "malformed: there is no base"};
}

void base_drop(struct base_holder *holder) {
    if (holder->memory != NULL) munmap(holder->memory, holder->base.size);
    if (holder->base.fd >= 0) close(holder->base.fd);
    base_open(holder);
}

static void drop_for(struct base_holder *holder, const char *fault) {
    base_drop(holder);
    holder->fault = fault;
}

/* Some hosts refuse files in memory that could be executed (vm.memfd_noexec). Before Linux 6.3 there are no others. */
static int create_file(void) {
    int fd = memfd_create("base", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
    return fd < 0 && errno == EINVAL ? memfd_create("base", MFD_CLOEXEC) : fd;
}

/* Mapped only until it has arrived: then nothing else holds it, and no job inherits it. */
static bool map_file(struct base_holder *holder) {
    int fd = holder->base.fd;
    if (fd < 0 || fd >= DESCRIPTORS_MAX || ftruncate(fd, holder->base.size) != 0) return false;
    void *memory = mmap(NULL, holder->base.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory != MAP_FAILED) holder->memory = memory;
    return holder->memory != NULL;
}

unsigned char *base_receive(struct base_holder *holder, size_t size, const char *fault) {
    if (size == 0) fault = "malformed: cut short";
    if (fault == NULL) {
        holder->base.size = (uint32_t)size;
        holder->base.fd = create_file();
        if (!map_file(holder)) fault = "isolation: no memory for the base";
    }
    if (fault != NULL) drop_for(holder, fault);
    return holder->memory;
}

void base_received(struct base_holder *holder) {
    if (holder->memory == NULL) return;
    const char *fault = base_decode(&holder->base, holder->memory, holder->base.size);
    munmap(holder->memory, holder->base.size);
    holder->memory = NULL;
    if (fault != NULL) drop_for(holder, fault);
}

static void take_files(struct cursor *cursor, struct base *base) {
    size_t size, count = take_count(cursor, JOB_FILES_MAX);
    for (size_t i = 0; i < count && cursor->fault == NULL; i++) {
        const char *path = take_text(cursor, &size);
        check_path(cursor, path, size);
        take_bytes(cursor, &size);
    }
    base->file_count = (uint32_t)count;
}

const char *base_decode(struct base *base, unsigned char *payload, size_t size) {
    struct cursor cursor = {payload, size, NULL};
    size_t path_size, program_size;
    take_files(&cursor, base);
    base->program_at = (uint32_t)(cursor.next - payload);
    const char *path = take_text(&cursor, &path_size);
    take_bytes(&cursor, &program_size);
    base->program_size = (uint32_t)program_size;
    take_end(&cursor);
    fault_if(&cursor, program_size > 0 && !path_is_absolute(path, path_size),
             "malformed: a compiled program needs an absolute path");
    return cursor.fault;
}

uint32_t base_files_at(void) {
    return LENGTH_BYTES;
}

/* Lengths and path have been checked. One read finds all three. */
bool base_read(const struct base *base, uint32_t *at, struct base_part *part) {
    unsigned char bytes[LENGTH_BYTES + sizeof part->path + LENGTH_BYTES];
    ssize_t count = pread(base->fd, bytes, sizeof bytes, *at);
    if (count < 0) return false;
    uint32_t path_size = u32_read(bytes);
    memcpy(part->path, bytes + LENGTH_BYTES, path_size);
    part->path[path_size] = 0;
    part->content_size = u32_read(bytes + LENGTH_BYTES + path_size);
    part->content_at = *at + LENGTH_BYTES + path_size + LENGTH_BYTES;
    *at = part->content_at + part->content_size;
    return true;
}

/* What comes before and after it in its first and last page stays. An error does no harm: the file is closed soon. */
static void remove_piece(const struct base *base, off_t at, size_t size) {
    if (base->is_last) fallocate(base->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, (off_t)size);
}

bool base_copy(const struct base *base, const struct base_part *part, int to) {
    off_t at = part->content_at, end = at + part->content_size;
    while (at < end) {
        off_t begin = at, piece_end = (at / PIECE_BYTES + 1) * PIECE_BYTES;
        if (piece_end > end) piece_end = end;
        while (at < piece_end) {
            ssize_t count = sendfile(to, base->fd, &at, (size_t)(piece_end - at));
            if (count < 0 && errno == EINTR) continue;
            if (count == 0) errno = EIO;
            if (count <= 0) return false;
        }
        remove_piece(base, begin, (size_t)(piece_end - begin));
    }
    return true;
}
