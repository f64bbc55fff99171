#include "isolation.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "program.h"
#include "view.h"

#define ALL_NAMESPACES                                                                         \
    (CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWUTS | \
     CLONE_NEWCGROUP)

pid_t isolation_clone(bool nested) {
    /* All other arguments are 0, so their order, which differs by architecture, does not matter. */
    return (pid_t)syscall(SYS_clone, SIGCHLD | (nested ? ALL_NAMESPACES : 0), 0, 0, 0, 0);
}

pid_t isolation_clone_sibling(void) {
    return (pid_t)syscall(SYS_clone, SIGCHLD | CLONE_PARENT | ALL_NAMESPACES, 0, 0, 0, 0);
}

static bool write_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t count = write(fd, text, strlen(text));
    int error = errno;
    close(fd);
    errno = error;
    return count == (ssize_t)strlen(text);
}

const char *isolation_map_ids(uid_t uid, gid_t gid) {
    char map[64];
    if (!write_file("/proc/self/setgroups", "deny")) return "setgroups";
    snprintf(map, sizeof map, "%u %u 1\n", (unsigned)uid, (unsigned)uid);
    if (!write_file("/proc/self/uid_map", map)) return "uid_map";
    snprintf(map, sizeof map, "%u %u 1\n", (unsigned)gid, (unsigned)gid);
    if (!write_file("/proc/self/gid_map", map)) return "gid_map";
    return NULL;
}

/* If the image has no such folder, there is nothing to hide. */
static bool hide(const char *path) {
    unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
    return mount("none", path, "tmpfs", flags, "size=4k,nr_inodes=1,mode=555") == 0 ||
           errno == ENOENT;
}

static bool mount_tmpfs(const char *path, unsigned long flags, uint32_t size_kib, uint32_t inodes) {
    char options[96];
    snprintf(options, sizeof options, "size=%uk,nr_inodes=%u,mode=1777", size_kib, inodes);
    return mount("none", path, "tmpfs", flags | MS_NOSUID | MS_NODEV, options) == 0;
}

/* The only interface of the job's network namespace; it brings 127.0.0.1 and ::1. */
static bool bring_up_loopback(void) {
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    bool up = ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    int error = errno;
    close(fd);
    errno = error;
    return up;
}

/* The job's own /proc, writable for the launcher's children; -1 until it exists: then the cell's is used. */
static int proc_folder = -1;

/* The view is written where the job's /tmp is mounted next, which makes it unreachable. */
const char *isolation_mount(const struct job *job, const struct base *base, uid_t uid, gid_t gid) {
    const char *failed;
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return "private mounts";
    if ((failed = view_write(job, uid, gid)) != NULL) return failed;
    if ((failed = view_mount(&proc_folder)) != NULL) return failed;
    if (!mount_tmpfs("/tmp", 0, job->tmp_size_kib, job->tmp_inodes_max)) return "mount /tmp";
    if (base->program_size > 0 && (failed = program_mount(base)) != NULL) return failed;
    if (!mount_tmpfs("/dev/shm", MS_NOEXEC, job->shm_size_kib, job->tmp_inodes_max) &&
        errno != ENOENT)
        return "mount /dev/shm";
    if (!hide("/dev/mqueue")) return "hide /dev/mqueue";
    if (chdir("/") != 0) return "enter /";
    if (!bring_up_loopback()) return "loopback";
    if (sethostname(JOB_HOST_NAME, strlen(JOB_HOST_NAME)) != 0) return "sethostname";
    return NULL;
}

const char *isolation_take_cpus(const struct job *job) {
    cpu_set_t all, own;
    if (sched_getaffinity(0, sizeof all, &all) != 0) return "read CPUs";
    unsigned count = (unsigned)CPU_COUNT(&all), cpus = view_cpus(job), seen = 0;
    if (cpus >= count) return NULL;
    CPU_ZERO(&own);
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &all)) continue;
        unsigned place = (seen++ + count - job->cpu_first % count) % count;
        if (place < cpus) CPU_SET(cpu, &own);
    }
    return sched_setaffinity(0, sizeof own, &own) == 0 ? NULL : "take CPUs";
}

const char *isolation_drop_capabilities(bool nested) {
    unsigned long cap = 0;
    while (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0) cap++;
    /*
     * EINVAL: one past the last capability that the kernel knows. A plain job may not drop any (EPERM):
     * its bounding set is the container's, which is empty.
     */
    if (errno != EINVAL && (nested || errno != EPERM)) return "bounding set";
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return "ambient set";
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
    if (syscall(SYS_capset, &header, none) != 0) return "capset";
    return NULL;
}

/*
 * If no login uid is set (the engine is a service), a process may set it once. Every job inherits it, and
 * getlogin(3) and logname(1) read only this value. If it cannot be set, they find no user.
 */
void isolation_log_in(void) {
    char uid[16];
    snprintf(uid, sizeof uid, "%u", (unsigned)getuid());
    write_file("/proc/self/loginuid", uid);
}

const char *isolation_raise_oom_score(int at_least) {
    char text[16] = "0";
    int fd = proc_folder < 0 ? open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC)
                             : openat(proc_folder, "self/oom_score_adj", O_RDWR | O_CLOEXEC);
    if (fd < 0) return "oom_score_adj";
    ssize_t size = read(fd, text, sizeof text - 1);
    if (size > 0) text[size] = 0;
    bool done = true;
    if (atoi(text) < at_least) {
        int length = snprintf(text, sizeof text, "%d", at_least);
        done = pwrite(fd, text, (size_t)length, 0) == length;
    }
    close(fd);
    return done ? NULL : "oom_score_adj";
}
