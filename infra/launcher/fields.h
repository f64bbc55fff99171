/* The fields of a payload, one after another: numbers, strings and paths. */
#ifndef LAUNCHER_FIELDS_H
#define LAUNCHER_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The rest of a payload. The first fault is kept; after it every field reads as empty. */
struct cursor {
    unsigned char *next;
    size_t left;
    const char *fault;
};

void fault_if(struct cursor *cursor, bool faulty, const char *fault);

uint32_t take_u32(struct cursor *cursor);
uint8_t take_u8(struct cursor *cursor);

/* A string of any bytes, where it stands; NULL after a fault. */
unsigned char *take_bytes(struct cursor *cursor, size_t *size);

/* The same without NUL. */
char *take_text(struct cursor *cursor, size_t *size);

/* The same, terminated in place, which moves it. */
char *take_string(struct cursor *cursor);

/* How many follow. */
size_t take_count(struct cursor *cursor, size_t count_max);

/* After the last field. */
void take_end(struct cursor *cursor);

/* A fault if this is not the path of a file in the working folder. */
void check_path(struct cursor *cursor, const char *path, size_t size);

/* Whether it is short enough, and no part between slashes is empty, "." or "..". */
bool path_is_plain(const char *path, size_t size);

/* The same, after a slash. */
bool path_is_absolute(const char *path, size_t size);

#endif
