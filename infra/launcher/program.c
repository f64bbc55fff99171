#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "memory.h"

enum { FOLDER_MODE = 0755, PROGRAM_MODE = 0555, PIECE_BYTES = 256 * 1024 };

#define MOUNT_FLAGS (MS_NOSUID | MS_NODEV)

/* Each piece leaves the payload: a program of a small job would need its memory twice. */
static bool write_pieces(int fd, const struct job *job) {
    for (size_t at = 0; at < job->program_size; at += PIECE_BYTES) {
        size_t left = job->program_size - at, size = left < PIECE_BYTES ? left : PIECE_BYTES;
        if (!write_all(fd, job->program + at, size)) return false;
        memory_drop((void *)(job->program + at), size);
    }
    return true;
}

static bool write_program(const struct job *job) {
    int fd = open(job->program_path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, PROGRAM_MODE);
    bool written = fd >= 0 && write_pieces(fd, job);
    int error = errno;
    if (fd >= 0) close(fd);
    errno = error;
    return written;
}

const char *program_mount(const struct job *job) {
    char folder[JOB_PATH_BYTES_MAX + 1], options[64];
    int size = (int)(strrchr(job->program_path, '/') - job->program_path);
    snprintf(folder, sizeof folder, "%.*s", size, job->program_path);
    /* The file system rounds up to whole pages. Two inodes: its root, and the file. */
    snprintf(options, sizeof options, "size=%zu,nr_inodes=2,mode=755", job->program_size);
    if (mkdir(folder, FOLDER_MODE) != 0) return "folder of the program";
    if (mount("none", folder, "tmpfs", MOUNT_FLAGS, options) != 0) return "mount of the program";
    if (!write_program(job)) return "write the program";
    if (mount("none", folder, NULL, MS_REMOUNT | MS_RDONLY | MOUNT_FLAGS, NULL) != 0) return "read-only program";
    return NULL;
}
