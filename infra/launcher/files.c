#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FOLDER_MODE = 0755,
    /* As in a cold container: a script may call another one by its path. */
    FILE_MODE = 0755
};

bool write_all(int fd, const void *bytes, size_t size) {
    const char *next = bytes;
    while (size > 0) {
        ssize_t count = write(fd, next, size);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return false;
        next += count;
        size -= (size_t)count;
    }
    return true;
}

/* Opens the folder `name` in `parent`; makes it if it is missing. Closes `parent`. */
static int enter(int parent, const char *name) {
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(parent, name, flags);
    if (fd < 0 && errno == ENOENT && mkdirat(parent, name, FOLDER_MODE) == 0)
        fd = openat(parent, name, flags);
    int error = errno;
    close(parent);
    errno = error;
    return fd;
}

/* Enters every folder of `path` except the last part, and makes `*last` point to that part. */
static int enter_parents(int from, const char *path, const char **last) {
    char part[JOB_PATH_BYTES_MAX + 1];
    const char *slash;
    while (from >= 0 && (slash = strchr(path, '/')) != NULL) {
        size_t size = (size_t)(slash - path);
        memcpy(part, path, size);
        part[size] = 0;
        from = enter(from, part);
        path = slash + 1;
    }
    *last = path;
    return from;
}

/* Makes the file, and the folders before it. @returns its descriptor */
static int create(int folder, const char *path) {
    const char *name;
    int parent = enter_parents(fcntl(folder, F_DUPFD_CLOEXEC, 0), path, &name);
    if (parent < 0) return -1;
    int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    int error = errno;
    close(parent);
    errno = error;
    return fd;
}

static bool close_after(int fd, bool written) {
    int error = errno;
    if (fd >= 0) close(fd);
    errno = error;
    return written;
}

static bool write_file(int folder, const struct job_file *file) {
    int fd = create(folder, file->path);
    return close_after(fd, fd >= 0 && write_all(fd, file->content, file->size));
}

static bool copy_file(int folder, const struct base *base, const struct base_part *part, const char *path) {
    int fd = create(folder, path);
    return close_after(fd, fd >= 0 && base_copy(base, part, fd));
}

/* Returns NULL, or the path that could not be made. */
static const char *copy_files(int folder, const struct base *base) {
    static struct base_part part;
    uint32_t at = base_files_at();
    for (uint32_t i = 0; i < base->file_count; i++)
        if (!base_read(base, &at, &part) || !copy_file(folder, base, &part, part.path)) return part.path;
    return NULL;
}

static const char *copy_program(const struct base *base) {
    static struct base_part part;
    uint32_t at = base->program_at;
    int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool copied = root >= 0 && base_read(base, &at, &part) && copy_file(root, base, &part, part.path + 1);
    return close_after(root, copied) ? NULL : part.path;
}

const char *files_write(const struct job *job, const struct base *base) {
    const char *name, *failed;
    int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int parent = enter_parents(root, job->folder + 1, &name);
    int folder = parent < 0 ? -1 : enter(parent, name);
    if (folder < 0 || fchdir(folder) != 0) return job->folder;
    if ((failed = copy_files(folder, base)) != NULL) return failed;
    for (size_t i = 0; i < job->file_count; i++)
        if (!write_file(folder, &job->files[i])) return job->files[i].path;
    close(folder);
    return job->nested || base->program_size == 0 ? NULL : copy_program(base);
}
