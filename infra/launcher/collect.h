/* The files that the host wants of a job, collected when all processes of the job are dead. */
#ifndef LAUNCHER_COLLECT_H
#define LAUNCHER_COLLECT_H

#include <stdint.h>

#include "globs.h"

enum {
    COLLECT_FILES_MAX = 256,
    COLLECT_PATH_BYTES_MAX = 255,
    COLLECT_DEPTH_MAX = 32,
    /* More than the job's file systems hold (tmp_inodes_max). */
    COLLECT_ENTRIES_MAX = 100000
};

struct collect_order {
    struct globs globs;       /* none: nothing is wanted */
    char except[COLLECT_PATH_BYTES_MAX + 1]; /* never matches: the script */
    uint32_t files_max;       /* also of the paths that are reported as skipped */
    uint32_t file_bytes_max;  /* of one file */
    uint32_t bytes_max;       /* of all files together */
};

/* What a record says of its path. */
enum collect_kind {
    COLLECT_FILE = 'F',
    COLLECT_TOO_LARGE = 'L',    /* it, or all files up to it together */
    COLLECT_NOT_REGULAR = 'N',  /* a symbolic link, a pipe, a socket, a device */
    COLLECT_UNREADABLE = 'U',   /* a file, or a folder that may have files */
    COLLECT_TOO_DEEP = 'D',     /* a folder that may have files */
    COLLECT_LONG_PATH = 'P',    /* its first bytes */
    COLLECT_END = 'E'
};

/*
 * Writes a record for each match to `out`: first files, then what was skipped, each in the order of the bytes of their
 * paths. A record is u8 kind, u32 length and a path; for a file u32 length and the content follow. The last record has
 * no path, but u32 patterns that matched something, as bits, and u32 number of matching files and of folders that were not entered. Without it the rest is
 * missing. No other process of the job may be alive: nothing changes meanwhile.
 */
void collect_files(const struct collect_order *order, int folder, int out); /* folder -1: unreadable */

#endif
