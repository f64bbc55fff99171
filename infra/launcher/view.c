#include "view.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "files.h"

enum {
    KIB_PER_MIB = 1024,
    MILLI = 1000,
    NS_PER_CS = 10000000,
    CS_PER_S = 100,
    CPU_PERIOD_US = 100000,
    /* Memory of the cell that the launcher and the job's init use, rounded up. */
    SUPERVISORS_KIB = 4096,
    CPU_TEXT_BYTES_MAX = 8192,
    FILE_BYTES_MAX = 4096,
    ENTRIES_BYTES_MAX = 4096,
    PATH_BYTES_MAX = 256 + sizeof "/proc/",
    FILE_MODE = 0444,
    FOLDER_MODE = 0555
};

#define VIEW_MOUNT_FLAGS (MS_NOSUID | MS_NODEV | MS_NOEXEC)
/* The files take about 30 pages and inodes, plus one page for every three CPUs. */
#define VIEW_OPTIONS "size=1m,nr_inodes=128,mode=755"
#define CPU_FOLDER "sys/devices/system/cpu"
#define EMPTY_FILE "empty"
#define EMPTY_FOLDER "nothing"
#define V1_UNLIMITED "9223372036854771712"

/* The first processor's lines in the cell's /proc/cpuinfo; empty if it has none. */
static char cpu_text[CPU_TEXT_BYTES_MAX];

void view_open(void) {
    size_t size = 0;
    int fd = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    for (ssize_t count = 1; count > 0 && size < sizeof cpu_text - 1; size += (size_t)count) {
        count = read(fd, cpu_text + size, sizeof cpu_text - 1 - size);
        if (count < 0) count = 0;
    }
    close(fd);
    cpu_text[size] = 0;
    char *end = strstr(cpu_text, "\n\n");
    /* A text that is too long, or not organized by processor, is replaced by the processor's number only. */
    if (end == NULL || strncmp(cpu_text, "processor", strlen("processor")) != 0) cpu_text[0] = 0;
    else end[1] = 0;
}

unsigned view_cpus(const struct job *job) {
    unsigned count = (job->cpus_milli + MILLI - 1) / MILLI;
    return count == 0 ? 1 : count;
}

static int create(const char *path) {
    return open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
}

static bool close_written(int fd, bool written) {
    int error = errno;
    if (fd >= 0) close(fd);
    errno = error;
    return written;
}

__attribute__((format(printf, 2, 3))) static bool put(const char *path, const char *format, ...) {
    char text[FILE_BYTES_MAX];
    va_list list;
    va_start(list, format);
    int size = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    int fd = create(path);
    return close_written(fd, fd >= 0 && size < (int)sizeof text && write_all(fd, text, (size_t)size));
}

static bool starts_with(const char *line, const char *name) {
    return strncmp(line, name, strlen(name)) == 0;
}

/* Formats the lines that differ between processors: with the processor's number, or their count. */
static const char *numbered(const char *line, unsigned *value, unsigned number, unsigned count) {
    *value = number;
    if (starts_with(line, "processor")) return "processor\t: %u\n";
    if (starts_with(line, "core id")) return "core id\t\t: %u\n";
    if (starts_with(line, "apicid")) return "apicid\t\t: %u\n";
    if (starts_with(line, "initial apicid")) return "initial apicid\t: %u\n";
    *value = count;
    if (starts_with(line, "siblings")) return "siblings\t: %u\n";
    if (starts_with(line, "cpu cores")) return "cpu cores\t: %u\n";
    return NULL;
}

/* The CPUs appear as cores of one processor. */
static bool write_cpu(int fd, unsigned number, unsigned count) {
    char text[CPU_TEXT_BYTES_MAX + 256];
    size_t size = 0;
    const char *line = cpu_text[0] != 0 ? cpu_text : "processor\n";
    while (*line != 0) {
        unsigned value;
        size_t length = strcspn(line, "\n") + 1, room = sizeof text - size;
        const char *format = numbered(line, &value, number, count);
        size += (size_t)(format == NULL ? snprintf(text + size, room, "%.*s", (int)length, line)
                                        : snprintf(text + size, room, format, value));
        if (size + 1 >= sizeof text) return false;
        line += length;
    }
    text[size++] = '\n';
    return write_all(fd, text, size);
}

static bool put_cpuinfo(unsigned cpus) {
    int fd = create("cpuinfo");
    bool written = fd >= 0;
    for (unsigned cpu = 0; cpu < cpus && written; cpu++) written = write_cpu(fd, cpu, cpus);
    return close_written(fd, written);
}

static bool put_cpu_times(int fd, const char *name, unsigned long long idle_cs) {
    char line[128];
    int size = snprintf(line, sizeof line, "%s 0 0 0 %llu 0 0 0 0 0 0\n", name, idle_cs);
    return write_all(fd, line, (size_t)size);
}

/* Reveals nothing of other cells: shows a machine with this many CPUs, idle since its boot. */
static bool put_stat(unsigned cpus, unsigned long long uptime_cs) {
    char text[256];
    int fd = create("stat");
    bool written = fd >= 0 && put_cpu_times(fd, "cpu ", uptime_cs * cpus);
    for (unsigned cpu = 0; cpu < cpus && written; cpu++) {
        char name[16];
        snprintf(name, sizeof name, "cpu%u", cpu);
        written = put_cpu_times(fd, name, uptime_cs);
    }
    long long boot = (long long)time(NULL) - (long long)(uptime_cs / CS_PER_S);
    int size = snprintf(text, sizeof text,
                        "intr 0\nctxt 0\nbtime %lld\nprocesses 1\nprocs_running 1\nprocs_blocked 0\n"
                        "softirq 0 0 0 0 0 0 0 0 0 0 0\n",
                        boot);
    return close_written(fd, written && write_all(fd, text, (size_t)size));
}

static bool put_meminfo(const struct job *job) {
    unsigned long total = (unsigned long)job->memory_mb * KIB_PER_MIB;
    unsigned long available = total > 2 * SUPERVISORS_KIB ? total - SUPERVISORS_KIB : total / 2;
    return put("meminfo",
               "MemTotal:       %8lu kB\nMemFree:        %8lu kB\nMemAvailable:   %8lu kB\n"
               "Buffers:               0 kB\nCached:                0 kB\nSwapCached:            0 kB\n"
               "Active:                0 kB\nInactive:              0 kB\nSwapTotal:             0 kB\n"
               "SwapFree:              0 kB\nDirty:                 0 kB\nShmem:                 0 kB\n"
               "Slab:                  0 kB\nSReclaimable:          0 kB\nSUnreclaim:            0 kB\n",
               total, available, available);
}

/* Uptime counts from the boot of the host, as in the clocks and sysinfo(2): process start times refer to it. */
static bool put_proc(const struct job *job) {
    unsigned cpus = view_cpus(job);
    struct timespec now;
    if (clock_gettime(CLOCK_BOOTTIME, &now) != 0) return false;
    unsigned long long uptime_cs =
        (unsigned long long)now.tv_sec * CS_PER_S + (unsigned long long)(now.tv_nsec / NS_PER_CS);
    unsigned long long idle_cs = uptime_cs * cpus;
    return put_cpuinfo(cpus) && put_stat(cpus, uptime_cs) && put_meminfo(job) &&
           put("loadavg", "0.00 0.00 0.00 1/1 1\n") &&
           put("uptime", "%llu.%02llu %llu.%02llu\n", uptime_cs / CS_PER_S, uptime_cs % CS_PER_S,
               idle_cs / CS_PER_S, idle_cs % CS_PER_S);
}

static bool put_cpu_lists(unsigned cpus) {
    bool put_online = cpus == 1 ? put(CPU_FOLDER "/online", "0\n")
                                : put(CPU_FOLDER "/online", "0-%u\n", cpus - 1);
    return put_online && link(CPU_FOLDER "/online", CPU_FOLDER "/possible") == 0 &&
           link(CPU_FOLDER "/online", CPU_FOLDER "/present") == 0;
}

static bool make_folders(const char *const *folders) {
    for (; *folders != NULL; folders++)
        if (mkdir(*folders, 0755) != 0) return false;
    return true;
}

/* /proc/self/cgroup comes from the kernel and names the host's v1 hierarchies: its readers look for these files. */
static bool put_cgroup_v1(const struct job *job, unsigned long long memory, unsigned long long quota) {
    static const char *const folders[] = {"sys/fs/cgroup/memory", "sys/fs/cgroup/cpu",
                                          "sys/fs/cgroup/pids", NULL};
    return make_folders(folders) && put("sys/fs/cgroup/memory/memory.limit_in_bytes", "%llu\n", memory) &&
           put("sys/fs/cgroup/memory/memory.soft_limit_in_bytes", V1_UNLIMITED "\n") &&
           put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "%llu\n", quota) &&
           put("sys/fs/cgroup/cpu/cpu.cfs_period_us", "%d\n", CPU_PERIOD_US) &&
           put("sys/fs/cgroup/pids/pids.max", "%u\n", (unsigned)job->pids);
}

static bool put_sys(const struct job *job) {
    static const char *const folders[] = {"sys", "sys/fs", "sys/fs/cgroup", "sys/devices",
                                          "sys/devices/system", CPU_FOLDER, NULL};
    bool v2 = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
    unsigned cpus = view_cpus(job);
    unsigned long long memory = (unsigned long long)job->memory_mb * KIB_PER_MIB * 1024;
    unsigned long long quota = (unsigned long long)job->cpus_milli * (CPU_PERIOD_US / MILLI);
    return make_folders(folders) && put_cpu_lists(cpus) &&
           put("sys/fs/cgroup/cgroup.controllers", "cpu memory pids\n") &&
           put("sys/fs/cgroup/memory.max", "%llu\n", memory) &&
           put("sys/fs/cgroup/memory.high", "max\n") &&
           put("sys/fs/cgroup/memory.swap.max", "0\n") &&
           put("sys/fs/cgroup/cpu.max", "%llu %d\n", quota, CPU_PERIOD_US) &&
           put("sys/fs/cgroup/pids.max", "%u\n", (unsigned)job->pids) &&
           (v2 || put_cgroup_v1(job, memory, quota));
}

/* `runner` has the cell's own uid. To the job, files of the host belong to `nobody`. */
static bool put_etc(uid_t uid, gid_t gid) {
    return put("passwd",
               "root:x:0:0:root:/root:/usr/sbin/nologin\n"
               "runner:x:%u:%u:runner:/tmp:/bin/bash\n"
               "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
               (unsigned)uid, (unsigned)gid) &&
           put("group", "root:x:0:\nrunner:x:%u:\nnogroup:x:65534:\n", (unsigned)gid) &&
           put("hostname", "%s\n", JOB_HOST_NAME) &&
           put("hosts", "%s",
               "127.0.0.1\tlocalhost " JOB_HOST_NAME "\n"
               "::1\tlocalhost ip6-localhost ip6-loopback " JOB_HOST_NAME "\n");
}

const char *view_write(const struct job *job, uid_t uid, gid_t gid) {
    if (mount("none", "/tmp", "tmpfs", VIEW_MOUNT_FLAGS, VIEW_OPTIONS) != 0) return "mount view";
    if (chdir("/tmp") != 0) return "enter view";
    if (!put(EMPTY_FILE, "%s", "") || mkdir(EMPTY_FOLDER, FOLDER_MODE) != 0) return "write view";
    if (!put_proc(job)) return "write /proc";
    if (!put_sys(job)) return "write /sys";
    if (!put_etc(uid, gid)) return "write /etc";
    /* Without MS_BIND: makes the file system itself read-only, and so all binds from it. */
    if (mount("none", "/tmp", NULL, MS_REMOUNT | MS_RDONLY | VIEW_MOUNT_FLAGS, NULL) != 0)
        return "read-only view";
    return NULL;
}

static bool bind(const char *from, const char *to) {
    return mount(from, to, NULL, MS_BIND, NULL) == 0;
}

static bool is_one_of(const char *name, const char *const *names) {
    for (; *names != NULL; names++)
        if (strcmp(name, *names) == 0) return true;
    return false;
}

/*
 * An allow-list, since the entries differ between kernels. An unknown link is refused: a mount would
 * cover its target.
 */
static bool cover(const char *name, unsigned char type) {
    static const char *const own[] = {"cpuinfo", "stat", "meminfo", "loadavg", "uptime", NULL};
    static const char *const kept[] = {".", "..", "version", NULL};
    static const char *const links[] = {"self", "thread-self", "mounts", "net", NULL};
    char path[PATH_BYTES_MAX];
    if (isdigit((unsigned char)name[0]) || is_one_of(name, kept)) return true;
    if (type == DT_LNK && is_one_of(name, links)) return true;
    if (type != DT_REG && type != DT_DIR) {
        errno = ENOTSUP;
        return false;
    }
    snprintf(path, sizeof path, "/proc/%s", name);
    if (type == DT_DIR) return bind(EMPTY_FOLDER, path);
    return bind(is_one_of(name, own) ? name : EMPTY_FILE, path);
}

/* The format of getdents64(2); libc's readdir needs a heap. */
struct entry {
    uint64_t inode;
    int64_t offset;
    unsigned short size;
    unsigned char type;
    char name[];
};

static bool cover_all(int proc) {
    static _Alignas(struct entry) char entries[ENTRIES_BYTES_MAX];
    long size;
    while ((size = syscall(SYS_getdents64, proc, entries, sizeof entries)) > 0) {
        for (long at = 0; at < size;) {
            const struct entry *entry = (const struct entry *)(entries + at);
            if (!cover(entry->name, entry->type)) return false;
            at += entry->size;
        }
    }
    return size == 0;
}

/*
 * Bounds TCP's buffers in the job's network namespace. Before cgroup v2 the kernel charges their content to
 * no cgroup: with its default bounds (32 MiB per socket), a job of 128 MiB held 900 MiB. Kernels before 4.15
 * have no such bounds per namespace.
 */
static bool bound_buffers(const char *path) {
    static const char bounds[] = "4096 16384 16384\n";
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT;
    return close_written(fd, write_all(fd, bounds, sizeof bounds - 1));
}

/*
 * Two mounts, one over the other. The job sees the upper one, which is read-only: by writing there it could
 * lower the OOM score that makes the kernel kill it before its supervisors, or clear values that others
 * measure. The launcher's own children write to the lower one, through `writable`.
 */
static bool mount_proc(int *writable) {
    if (mount("none", "/proc", "proc", VIEW_MOUNT_FLAGS, "hidepid=2") != 0) return false;
    if (!bound_buffers("/proc/sys/net/ipv4/tcp_rmem") || !bound_buffers("/proc/sys/net/ipv4/tcp_wmem"))
        return false;
    *writable = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*writable < 0 || !bind("/proc", "/proc")) return false;
    if (mount("none", "/proc", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | VIEW_MOUNT_FLAGS, NULL) != 0)
        return false;
    int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return close_written(proc, proc >= 0 && cover_all(proc));
}

/* An image without such a file cannot have it bound over. */
static bool bind_if_there(const char *from, const char *to) {
    return bind(from, to) || errno == ENOENT;
}

const char *view_mount(int *proc) {
    if (!mount_proc(proc)) return "mount /proc";
    if (!bind_if_there("sys", "/sys")) return "mount /sys";
    if (!bind_if_there("passwd", "/etc/passwd")) return "mount /etc/passwd";
    if (!bind_if_there("group", "/etc/group")) return "mount /etc/group";
    /* Docker's own files are on the host's disk: each fsync of them would reach it. */
    if (!bind_if_there("hosts", "/etc/hosts")) return "mount /etc/hosts";
    if (!bind_if_there("hostname", "/etc/hostname")) return "mount /etc/hostname";
    if (!bind_if_there(EMPTY_FILE, "/etc/resolv.conf")) return "mount /etc/resolv.conf";
    return NULL;
}
