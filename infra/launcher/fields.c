#include "fields.h"

#include <string.h>

#include "frames.h"
#include "job.h"

static unsigned char *take(struct cursor *cursor, size_t size) {
    if (cursor->fault == NULL && cursor->left < size) cursor->fault = "malformed: cut short";
    if (cursor->fault != NULL) return NULL;
    unsigned char *bytes = cursor->next;
    cursor->next += size;
    cursor->left -= size;
    return bytes;
}

void fault_if(struct cursor *cursor, bool faulty, const char *fault) {
    if (cursor->fault == NULL && faulty) cursor->fault = fault;
}

uint32_t take_u32(struct cursor *cursor) {
    const unsigned char *bytes = take(cursor, 4);
    return bytes == NULL ? 0 : u32_read(bytes);
}

uint8_t take_u8(struct cursor *cursor) {
    const unsigned char *bytes = take(cursor, 1);
    return bytes == NULL ? 0 : bytes[0];
}

unsigned char *take_bytes(struct cursor *cursor, size_t *size) {
    *size = take_u32(cursor);
    unsigned char *bytes = take(cursor, *size);
    if (bytes == NULL) *size = 0;
    return bytes;
}

char *take_text(struct cursor *cursor, size_t *size) {
    unsigned char *bytes = take_bytes(cursor, size);
    fault_if(cursor, bytes != NULL && memchr(bytes, 0, *size) != NULL, "malformed: NUL in a string");
    return (char *)bytes;
}

/* The length field before it provides the extra byte. */
char *take_string(struct cursor *cursor) {
    size_t size;
    char *text = take_text(cursor, &size);
    if (text == NULL) return NULL;
    memmove(text - 1, text, size);
    text[size - 1] = 0;
    return text - 1;
}

size_t take_count(struct cursor *cursor, size_t count_max) {
    size_t count = take_u32(cursor);
    fault_if(cursor, count > count_max, "malformed: too many arguments, variables or files");
    return count;
}

void take_end(struct cursor *cursor) {
    fault_if(cursor, cursor->left > 0, "malformed: trailing bytes");
}

bool path_is_plain(const char *path, size_t size) {
    if (size > JOB_PATH_BYTES_MAX) return false;
    for (const char *part = path, *end = path + size;; part++) {
        const char *slash = memchr(part, '/', (size_t)(end - part));
        size_t length = (size_t)((slash != NULL ? slash : end) - part);
        if (length == 0 || (length <= 2 && memcmp(part, "..", length) == 0)) return false;
        if (slash == NULL) return true;
        part = slash;
    }
}

bool path_is_absolute(const char *path, size_t size) {
    return size > 0 && path[0] == '/' && path_is_plain(path + 1, size - 1);
}

void check_path(struct cursor *cursor, const char *path, size_t size) {
    fault_if(cursor, path != NULL && !path_is_plain(path, size),
             "input: a path must be relative and stay in the working folder");
}
