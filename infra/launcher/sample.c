#include "sample.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"
#include "memory.h"

enum { EXIT_FAILED = 70 };

/* Where the sample reports. */
static int result = -1;

bool sample_is_running(void) {
    return result >= 0;
}

static void take_nothing(void) {
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (nothing < 0 || dup2(nothing, fd) < 0) _exit(EXIT_FAILED);
    close(nothing);
}

static void take_report(int fd, pid_t sample, struct snapshot_use *use) {
    int status = -1;
    size_t done = 0;
    ssize_t count;
    while (done < sizeof *use && (count = read(fd, (char *)use + done, sizeof *use - done)) > 0) done += (size_t)count;
    while (waitpid(sample, &status, 0) < 0 && errno == EINTR) continue;
    if (done != sizeof *use || status != 0) _exit(EXIT_FAILED);
}

bool sample_run(struct snapshot_use *use) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) _exit(EXIT_FAILED);
    pid_t sample = fork();
    if (sample < 0) _exit(EXIT_FAILED);
    if (sample == 0) {
        /* If it does not end, the launcher kills the zygote. */
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        close(ends[0]);
        result = ends[1];
        take_nothing();
        if (chdir("/") != 0) _exit(EXIT_FAILED);
        return true;
    }
    close(ends[1]);
    take_report(ends[0], sample, use);
    close(ends[0]);
    return false;
}

void sample_report(void) {
    /* Fresh memory, which is not the zygote's: it does not count as used. */
    struct snapshot_use *use = memory_alloc(sizeof *use, MEMORY_INHERITED);
    if (use == NULL) _exit(EXIT_FAILED);
    snapshot_see_use(use);
    if (!write_all(result, use, sizeof *use)) _exit(EXIT_FAILED);
}
