#include "room.h"

#include <errno.h>
#include <linux/magic.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "signals.h"

/* A file system that is full only between two checks is not noticed: the kernel has no counter for it. */
enum { CHECK_INTERVAL_NS = 5000000 };

struct room *room_map(int fd) {
    struct room *room = mmap(NULL, sizeof *room, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return room == MAP_FAILED ? NULL : room;
}

void room_unmap(struct room *room) {
    munmap(room, sizeof *room);
}

/* Where files in memory are refused (vm.memfd_noexec), only forks of the launcher can share the page. */
struct room *room_create(int *fd) {
    *fd = memfd_create("room", MFD_CLOEXEC);
    if (*fd >= 0 && ftruncate(*fd, sizeof(struct room)) == 0) return room_map(*fd);
    struct room *room =
        mmap(NULL, sizeof *room, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return room == MAP_FAILED ? NULL : room;
}

/* @returns the bytes in it; 0 if it is not a tmpfs */
static int64_t measure(const char *path, bool *full, bool *inodes_full) {
    struct statfs found;
    if (statfs(path, &found) != 0 || found.f_type != TMPFS_MAGIC) return 0;
    if (found.f_blocks > 0 && found.f_bfree == 0) *full = true;
    if (found.f_files > 0 && found.f_ffree == 0) *inodes_full = true;
    return (int64_t)(found.f_blocks - found.f_bfree) * found.f_bsize;
}

void room_check(struct room *room) {
    int64_t tmp = measure("/tmp", &room->tmp_full, &room->tmp_inodes_full);
    int64_t shm = measure("/dev/shm", &room->shm_full, &room->shm_inodes_full);
    __atomic_store_n(&room->held_bytes, tmp + shm, __ATOMIC_RELAXED);
}

pid_t room_wait(struct room *room, int *status, struct rusage *usage) {
    const struct timespec wait = {.tv_nsec = CHECK_INTERVAL_NS};
    sigset_t awaited;
    sigemptyset(&awaited);
    sigaddset(&awaited, SIGCHLD);
    sigaddset(&awaited, ORDER_TO_END);
    for (;;) {
        room_check(room);
        pid_t pid = wait4(-1, status, WNOHANG, usage);
        if (pid != 0) return pid;
        /* If a child has died since then, its signal is pending, and this returns at once. */
        siginfo_t info;
        if (sigtimedwait(&awaited, &info, &wait) == ORDER_TO_END && signals_is_order(&info))
            kill(-1, SIGKILL);
    }
}
