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

static bool write_file(int folder, const struct job_file *file) {
    const char *name;
    int parent = enter_parents(fcntl(folder, F_DUPFD_CLOEXEC, 0), file->path, &name);
    if (parent < 0) return false;
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(parent, name, flags, FILE_MODE);
    bool written = fd >= 0 && write_all(fd, file->content, file->size);
    int error = errno;
    if (fd >= 0) close(fd);
    close(parent);
    errno = error;
    return written;
}

static bool write_program(const struct job *job) {
    int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const struct job_file program = {job->program_path + 1, job->program, job->program_size};
    bool written = root >= 0 && write_file(root, &program);
    int error = errno;
    if (root >= 0) close(root);
    errno = error;
    return written;
}

const char *files_write(const struct job *job) {
    const char *name;
    int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int parent = enter_parents(root, job->folder + 1, &name);
    int folder = parent < 0 ? -1 : enter(parent, name);
    if (folder < 0 || fchdir(folder) != 0) return job->folder;
    for (size_t i = 0; i < job->file_count; i++)
        if (!write_file(folder, &job->files[i])) return job->files[i].path;
    close(folder);
    /* Nested: it has been mounted. */
    return job->nested || job->program_size == 0 || write_program(job) ? NULL : job->program_path;
}
