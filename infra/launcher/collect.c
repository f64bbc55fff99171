#include "collect.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "frames.h"

enum {
    /* A pipe that a program made would otherwise block. */
    FILE_FLAGS = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
    FOLDER_FLAGS = FILE_FLAGS | O_DIRECTORY
};

enum { ENTRIES_BYTES = 4096, CONTENT_BYTES = 64 * 1024, LENGTH_BYTES = 4 };

struct path {
    enum collect_kind kind;
    char text[COLLECT_PATH_BYTES_MAX + 1];
};

/* Those with the smallest paths, in their order: so a folder of a million files needs no more memory than this. */
struct list {
    size_t count;
    struct path path[COLLECT_FILES_MAX];
};

struct search {
    const struct collect_order *order;
    char path[COLLECT_PATH_BYTES_MAX + 1]; /* of the entry that is looked at */
    uint32_t matched;
    uint32_t matches;
    unsigned entries_left;
    bool failed;
};

/* Not on the stack, which a job of little memory cannot extend. */
static struct search search;
static struct list files, skipped;

static void list_add(struct list *list, enum collect_kind kind, const char *text) {
    size_t count_max = search.order->files_max, at = list->count;
    while (at > 0 && strcmp(text, list->path[at - 1].text) < 0) at--;
    if (at == count_max) return;
    if (list->count < count_max) list->count++;
    memmove(&list->path[at + 1], &list->path[at], (list->count - at - 1) * sizeof list->path[0]);
    list->path[at].kind = kind;
    strcpy(list->path[at].text, text);
}

static unsigned char type_of(int folder, const char *name, unsigned char type) {
    struct stat stat;
    if (type != DT_UNKNOWN) return type;
    if (fstatat(folder, name, &stat, AT_SYMLINK_NOFOLLOW) != 0) return DT_UNKNOWN;
    return IFTODT(stat.st_mode);
}

/* @returns the new length of the path, which is cut if it becomes too long; then `*cut` is set */
static size_t enter_name(size_t path_size, const char *name, bool *cut) {
    size_t left = COLLECT_PATH_BYTES_MAX - path_size, size = strlen(name);
    *cut = size > left;
    if (*cut) size = left;
    memcpy(search.path + path_size, name, size);
    search.path[path_size + size] = 0;
    return path_size + size;
}

static void search_folder(int folder, size_t path_size, const struct globs_state *state, int depth);

static void search_below(int parent, const char *name, size_t path_size, const struct globs_state *state,
                         int depth) {
    if (depth == COLLECT_DEPTH_MAX || path_size == COLLECT_PATH_BYTES_MAX) {
        list_add(&skipped, COLLECT_TOO_DEEP, search.path);
        search.matches++;
        return;
    }
    int folder = openat(parent, name, FOLDER_FLAGS);
    if (folder < 0) {
        list_add(&skipped, COLLECT_UNREADABLE, search.path);
        search.matches++;
        return;
    }
    search.path[path_size] = '/';
    search_folder(folder, path_size + 1, state, depth + 1);
    close(folder);
}

static void look_at(int folder, const struct dirent64 *entry, size_t path_size,
                    const struct globs_state *parent_state, int depth) {
    const struct globs *globs = &search.order->globs;
    const char *name = entry->d_name;
    bool cut;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) return;
    struct globs_state state = globs_step(globs, parent_state, name);
    uint32_t matched = globs_matched(globs, &state);
    bool goes_on = globs_go_on(globs, &state);
    if (matched == 0 && !goes_on) return;
    unsigned char type = type_of(folder, name, entry->d_type);
    if (type == DT_DIR ? !goes_on : matched == 0) return;
    path_size = enter_name(path_size, name, &cut);
    if (strcmp(search.path, search.order->except) == 0) return;
    if (cut) {
        list_add(&skipped, COLLECT_LONG_PATH, search.path);
    } else if (type == DT_DIR) {
        search_below(folder, name, path_size, &state, depth);
        return;
    } else if (type == DT_REG) {
        list_add(&files, COLLECT_FILE, search.path);
    } else {
        list_add(&skipped, COLLECT_NOT_REGULAR, search.path);
    }
    search.matched |= matched;
    search.matches++;
}

static void search_folder(int folder, size_t path_size, const struct globs_state *state, int depth) {
    _Alignas(struct dirent64) char entries[ENTRIES_BYTES];
    ssize_t size = 0;
    while (!search.failed && (size = getdents64(folder, entries, sizeof entries)) > 0) {
        for (ssize_t at = 0; at < size && !search.failed;) {
            const struct dirent64 *entry = (const struct dirent64 *)(entries + at);
            at += entry->d_reclen;
            if (search.entries_left-- == 0) search.failed = true;
            else look_at(folder, entry, path_size, state, depth);
        }
    }
    if (size < 0) search.failed = true;
}

static bool put_record(int out, enum collect_kind kind, const void *bytes, size_t size) {
    unsigned char header[1 + LENGTH_BYTES] = {(unsigned char)kind};
    u32_write(header + 1, (uint32_t)size);
    return write_all(out, header, sizeof header) && write_all(out, bytes, size);
}

/*
 * One name at a time, none of which may be a symbolic link: as openat2(2) with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS,
 * which no process of a cell may call, since its flags (O_DIRECT) are out of seccomp's sight.
 */
static int open_file(int folder, const char *path) {
    char name[COLLECT_PATH_BYTES_MAX + 1];
    const char *slash;
    int parent = folder;
    while (parent >= 0 && (slash = strchr(path, '/')) != NULL) {
        snprintf(name, sizeof name, "%.*s", (int)(slash - path), path);
        int fd = openat(parent, name, FOLDER_FLAGS);
        if (parent != folder) close(parent);
        parent = fd;
        path = slash + 1;
    }
    if (parent < 0) return -1;
    int fd = openat(parent, path, FILE_FLAGS);
    if (parent != folder) close(parent);
    return fd;
}

/* As many bytes as were announced, or the stream ends here. */
static bool put_content(int out, int file, off_t left) {
    static unsigned char bytes[CONTENT_BYTES];
    unsigned char length[LENGTH_BYTES];
    u32_write(length, (uint32_t)left);
    if (!write_all(out, length, sizeof length)) return false;
    while (left > 0) {
        ssize_t size = read(file, bytes, left < CONTENT_BYTES ? (size_t)left : CONTENT_BYTES);
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0 || !write_all(out, bytes, (size_t)size)) return false;
        left -= size;
    }
    return true;
}

/* Nothing but the number of bytes is known of the content: a sparse file of a terabyte is not read. */
static bool put_file(int folder, int out, const char *path, uint32_t *bytes_left) {
    struct stat stat;
    bool done = true;
    int file = open_file(folder, path);
    if (file < 0 || fstat(file, &stat) != 0) {
        list_add(&skipped, COLLECT_UNREADABLE, path);
    } else if (!S_ISREG(stat.st_mode)) {
        list_add(&skipped, COLLECT_NOT_REGULAR, path);
    } else if (stat.st_size > search.order->file_bytes_max || stat.st_size > *bytes_left) {
        list_add(&skipped, COLLECT_TOO_LARGE, path);
    } else {
        *bytes_left -= (uint32_t)stat.st_size;
        done = put_record(out, COLLECT_FILE, path, strlen(path)) && put_content(out, file, stat.st_size);
    }
    if (file >= 0) close(file);
    return done;
}

static bool put_all(int folder, int out) {
    uint32_t bytes_left = search.order->bytes_max;
    for (size_t i = 0; i < files.count; i++)
        if (!put_file(folder, out, files.path[i].text, &bytes_left)) return false;
    for (size_t i = 0; i < skipped.count; i++) {
        const struct path *path = &skipped.path[i];
        if (!put_record(out, path->kind, path->text, strlen(path->text))) return false;
    }
    return true;
}

void collect_files(const struct collect_order *order, int folder, int out) {
    unsigned char end[2 * LENGTH_BYTES];
    search = (struct search){.order = order, .entries_left = COLLECT_ENTRIES_MAX};
    files.count = skipped.count = 0;
    struct globs_state state = globs_begin(&order->globs);
    if (folder >= 0) {
        search_folder(folder, 0, &state, 0);
    } else {
        list_add(&skipped, COLLECT_UNREADABLE, ".");
        search.matches++;
    }
    if (!put_all(folder, out) || search.failed) return;
    u32_write(end, search.matched);
    u32_write(end + LENGTH_BYTES, search.matches);
    put_record(out, COLLECT_END, end, sizeof end);
}
