#include "globs.h"

#include <stddef.h>
#include <string.h>

static bool is_any_depth(const char *part) {
    return strcmp(part, "**") == 0;
}

static const char *part_of(const struct glob *glob, unsigned number) {
    return glob->text + glob->part_at[number];
}

static bool add_part(struct glob *glob, size_t at, size_t size) {
    const char *part = glob->text + at;
    if (size == 0 || (size <= 2 && strspn(part, ".") >= size)) return false;
    if (glob->parts == GLOB_PARTS_MAX) return false;
    glob->part_at[glob->parts++] = (uint16_t)at;
    return true;
}

/* A last part `**` means the files in the folders, as `**` and `*`. */
static bool split(struct glob *glob) {
    size_t at = 0, size;
    for (;; at += size + 1) {
        size = strcspn(glob->text + at, "/");
        bool is_last = glob->text[at + size] == 0;
        glob->text[at + size] = 0;
        if (!add_part(glob, at, size)) return false;
        if (is_last) break;
    }
    if (!is_any_depth(glob->text + at)) return true;
    at += size + 1;
    memcpy(glob->text + at, "*", sizeof "*");
    return add_part(glob, at, 1);
}

bool globs_add(struct globs *globs, const char *pattern) {
    size_t size = strlen(pattern);
    if (globs->count == GLOBS_MAX || size > GLOB_BYTES_MAX) return false;
    struct glob *glob = &globs->glob[globs->count++];
    memset(glob, 0, sizeof *glob);
    memcpy(glob->text, pattern, size);
    return split(glob);
}

/* The bytes of the first character. What is not UTF-8 has characters of one byte. */
static size_t character_size(const char *text) {
    size_t size = 1;
    if (((unsigned char)text[0] & 0xC0) == 0xC0)
        while (((unsigned char)text[size] & 0xC0) == 0x80) size++;
    return size;
}

/* After `[`: the `]` that ends the class; NULL if there is none. A `]` that comes first belongs to it. */
static const char *class_end(const char *class) {
    const char *first = class + (*class == '!' || *class == '^');
    return *first == 0 ? NULL : strchr(first + 1, ']');
}

/* Only ASCII characters are in a class. */
static bool is_in_class(const char *class, const char *end, unsigned char c) {
    bool negated = *class == '!' || *class == '^', found = false;
    for (const char *next = class + negated; next < end; next++) {
        unsigned char from = (unsigned char)*next, to = from;
        if (next + 2 < end && next[1] == '-') {
            next += 2;
            to = (unsigned char)*next;
        }
        if (c < 0x80 && from <= c && c <= to) found = true;
    }
    return found != negated;
}

/*
 * Matches one character of the name with one element of the pattern, which is no `*`.
 * @returns the next element, NULL if it does not match; advances `name`
 */
static const char *match_one(const char *pattern, const char **name) {
    const char *end;
    if (*pattern == '?') {
        *name += character_size(*name);
        return pattern + 1;
    }
    if (*pattern == '[' && (end = class_end(pattern + 1)) != NULL) {
        if (!is_in_class(pattern + 1, end, (unsigned char)**name)) return NULL;
        *name += character_size(*name);
        return end + 1;
    }
    if (*pattern == '\\' && pattern[1] != 0) pattern++;
    return *pattern == *(*name)++ ? pattern + 1 : NULL;
}

/*
 * Only the latest `*` is ever extended, so the time is at most the product of both lengths. Rejected: fnmatch(3), which
 * tries every `*`, and takes hours for `*a*a*a*a*a*a*b`.
 */
static bool part_matches(const char *pattern, const char *name) {
    const char *after_star = NULL, *star_name = NULL, *next;
    if (*name == '.' && *pattern != '.') return false;
    while (*name != 0) {
        if (*pattern == '*') {
            after_star = ++pattern;
            star_name = name;
        } else if (*pattern != 0 && (next = match_one(pattern, &name)) != NULL) {
            pattern = next;
        } else if (after_star != NULL) {
            pattern = after_star;
            star_name += character_size(star_name);
            name = star_name;
        } else {
            return false;
        }
    }
    return pattern[strspn(pattern, "*")] == 0;
}

/* `**` also matches no folder at all. */
static uint64_t with_empty_matches(const struct glob *glob, uint64_t at) {
    for (unsigned i = 0; i < glob->parts; i++)
        if ((at >> i & 1) != 0 && is_any_depth(part_of(glob, i))) at |= 1ULL << (i + 1);
    return at;
}

struct globs_state globs_begin(const struct globs *globs) {
    struct globs_state state = {{0}};
    for (unsigned i = 0; i < globs->count; i++) state.at[i] = with_empty_matches(&globs->glob[i], 1);
    return state;
}

static uint64_t step(const struct glob *glob, uint64_t from, const char *name) {
    uint64_t to = 0;
    for (unsigned i = 0; i < glob->parts; i++) {
        const char *part = part_of(glob, i);
        if ((from >> i & 1) == 0) continue;
        if (!is_any_depth(part)) to |= (uint64_t)part_matches(part, name) << (i + 1);
        else if (*name != '.') to |= 1ULL << i;
    }
    return with_empty_matches(glob, to);
}

struct globs_state globs_step(const struct globs *globs, const struct globs_state *from, const char *name) {
    struct globs_state to = {{0}};
    for (unsigned i = 0; i < globs->count; i++) to.at[i] = step(&globs->glob[i], from->at[i], name);
    return to;
}

uint32_t globs_matched(const struct globs *globs, const struct globs_state *state) {
    uint32_t matched = 0;
    for (unsigned i = 0; i < globs->count; i++)
        matched |= (uint32_t)(state->at[i] >> globs->glob[i].parts & 1) << i;
    return matched;
}

bool globs_go_on(const struct globs *globs, const struct globs_state *state) {
    for (unsigned i = 0; i < globs->count; i++)
        if ((state->at[i] & ((1ULL << globs->glob[i].parts) - 1)) != 0) return true;
    return false;
}
