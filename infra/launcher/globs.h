/*
 * Patterns of paths, relative to the working folder, as shells have them (glob(7)): `*`, `?` and `[a-z]` match within
 * one name, and a part `**` matches any number of folders. A name that begins with a dot is matched only by a part
 * that does.
 */
#ifndef LAUNCHER_GLOBS_H
#define LAUNCHER_GLOBS_H

#include <stdbool.h>
#include <stdint.h>

enum { GLOBS_MAX = 16, GLOB_BYTES_MAX = 255, GLOB_PARTS_MAX = 32 };

struct glob {
    char text[GLOB_BYTES_MAX + sizeof "\0*"]; /* its parts, each terminated */
    unsigned parts;
    uint16_t part_at[GLOB_PARTS_MAX];
};

struct globs {
    unsigned count;
    struct glob glob[GLOBS_MAX];
};

/* How far each pattern has come with the names of a path: bit n is set if its first n parts match them. */
struct globs_state {
    uint64_t at[GLOBS_MAX];
};

/* @returns false for a pattern that is too long, has too many parts, or a part that is empty, `.` or `..` */
bool globs_add(struct globs *globs, const char *pattern);

/* Before the first name. */
struct globs_state globs_begin(const struct globs *globs);

/* With one more name. */
struct globs_state globs_step(const struct globs *globs, const struct globs_state *from, const char *name);

/* The patterns that match the whole path, as bits. */
uint32_t globs_matched(const struct globs *globs, const struct globs_state *state);

/* Whether a longer path could match. */
bool globs_go_on(const struct globs *globs, const struct globs_state *state);

#endif
