#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER_MODE = 0755, PROGRAM_MODE = 0555 };

#define MOUNT_FLAGS (MS_NOSUID | MS_NODEV)

static bool copy_program(const struct base *base, const struct base_part *part) {
    int fd = open(part->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, PROGRAM_MODE);
    bool copied = fd >= 0 && base_copy(base, part, fd);
    int error = errno;
    if (fd >= 0) close(fd);
    errno = error;
    return copied;
}

const char *program_mount(const struct base *base) {
    static struct base_part part;
    char folder[sizeof part.path], options[64];
    uint32_t at = base->program_at;
    if (!base_read(base, &at, &part)) return "read the program";
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(part.path, '/') - part.path), part.path);
    /* The file system rounds up to whole pages. Two inodes: its root, and the file. */
    snprintf(options, sizeof options, "size=%u,nr_inodes=2,mode=755", part.content_size);
    if (mkdir(folder, FOLDER_MODE) != 0) return "folder of the program";
    if (mount("none", folder, "tmpfs", MOUNT_FLAGS, options) != 0) return "mount of the program";
    if (!copy_program(base, &part)) return "write the program";
    if (mount("none", folder, NULL, MS_REMOUNT | MS_RDONLY | MOUNT_FLAGS, NULL) != 0) return "read-only program";
    return NULL;
}
