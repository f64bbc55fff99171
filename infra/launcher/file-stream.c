#include "file-stream.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "isolation.h"

enum { READ_BYTES_MAX = 64 * 1024, COLLECT_US_MAX = 30 * 1000000 };

void file_stream_begin(struct file_stream *files) {
    files->fd = files->plain_fd = -1;
    files->over_us = 0;
    files->give_up_us = INT64_MAX;
}

void file_stream_open(struct file_stream *files, const struct job *job, int fd, int *other) {
    files->fd = fd;
    if (job->nested) return;
    files->plain_fd = *other;
    *other = -1;
    /* The payload, which has the folder's name, is gone when it is needed. */
    files->order = job->collect;
    strcpy(files->folder, job->folder);
}

void file_stream_close(struct file_stream *files) {
    if (files->fd >= 0) close(files->fd);
    if (files->plain_fd >= 0) close(files->plain_fd);
    files->fd = files->plain_fd = -1;
}

bool file_stream_collect_plain(struct file_stream *files) {
    if (files->plain_fd < 0) return false;
    pid_t pid = isolation_clone(false);
    if (pid == 0) child_collect(&files->order, files->folder, files->plain_fd);
    close(files->plain_fd);
    files->plain_fd = -1;
    return pid > 0;
}

bool file_stream_has_begun(const struct file_stream *files) {
    return files->over_us > 0;
}

/* It is in the pipe as a whole: the first that is written there (pipe(7), PIPE_BUF). */
static bool take_time(struct file_stream *files, struct host *host, uint32_t number) {
    ssize_t count = read(files->fd, &files->over_us, sizeof files->over_us);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (count != (ssize_t)sizeof files->over_us) {
        close(files->fd);
        files->fd = -1;
        return false;
    }
    files->give_up_us = now_us() + COLLECT_US_MAX;
    host_send(host, FRAME_FILES, number, NULL, 0);
    return true;
}

bool file_stream_pass(struct file_stream *files, struct host *host, uint32_t number) {
    static unsigned char bytes[READ_BYTES_MAX];
    if (files->fd < 0) return false;
    /* Even if the host does not read: no limit of the job counts any more. */
    if (files->over_us == 0) return host_has_room(host) && take_time(files, host, number);
    size_t size = host_output_room(host);
    if (size == 0) return false;
    ssize_t count = read(files->fd, bytes, size < sizeof bytes ? size : sizeof bytes);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (count > 0) {
        host_send(host, FRAME_FILES, number, bytes, (size_t)count);
        explicit_bzero(bytes, (size_t)count);
    } else {
        close(files->fd);
        files->fd = -1;
    }
    return false;
}
