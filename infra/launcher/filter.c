#include "filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "neither x86_64 nor aarch64"
#endif

/* Every CLONE_NEW* that clone knows; CLONE_NEWTIME is only for clone3 and unshare. */
#define CLONE_NAMESPACES 0x7E020000u
#define X32_BIT 0x40000000u

#define NUMBER offsetof(struct seccomp_data, nr)
#define ARCH offsetof(struct seccomp_data, arch)
/* The low halves: the kernel reads only these of an int, and of clone's flags. */
#define ARG0 offsetof(struct seccomp_data, args[0])
#define ARG1 offsetof(struct seccomp_data, args[1])
#define ARG2 offsetof(struct seccomp_data, args[2])
#define ARG2_HIGH (ARG2 + sizeof(uint32_t))

/* PID of the first process in a job's namespace; in a plain job's container, of the launcher. */
#define INIT 1
#define SOCKET_TYPE_MASK 0xFu

/* Newer than the headers of Debian 12 (prctl(2), linux/fs.h, linux/fsmap.h). */
#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67
#endif
#define FS_IOC_GETFSMAP 0xC0C0583Bu
#define FS_IOC_GETFSUUID 0x80111500u
#define FS_IOC_GETFSSYSFSPATH 0x80811501u
#define FS_IOC_GETFSLABEL 0x81009431u
/* Level and option of setsockopt as one number, which is unique per pair. */
#define OPTION(level, option) (((uint32_t)(level) << 16) + (option))

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, field)
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)
#define ANSWER(number) RETURN(SECCOMP_RET_ERRNO | (number))
/* Skips the one instruction that follows unless the condition holds. */
#define IF_EQUAL(value) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1)
#define IF_ANY_BIT(mask) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, mask, 0, 1)
/* Skips the next instruction if the condition holds. */
#define UNLESS_EQUAL(value) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0)
#define UNLESS_EITHER(one, other)                      \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (one), 2, 0), \
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (other), 1, 0)
/* Instructions for one call. They load its arguments over its number, so they must end with a return. */
#define ON_CALL(call, ...)                                                         \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##call, 0,                            \
             sizeof((struct sock_filter[]){__VA_ARGS__}) / sizeof(struct sock_filter)), \
        __VA_ARGS__
#define ALLOW RETURN(SECCOMP_RET_ALLOW)
#define DENY(call) IF_EQUAL(__NR_##call), ANSWER(EPERM)

/*
 * Default: allow, because the cell's profile, which stays in force, is the allow-list. Denied calls
 * return an errno and do not kill: programs probe for system calls and must be able to go on without them.
 */
static const struct sock_filter RULES[] = {
    LOAD(ARCH),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
    RETURN(SECCOMP_RET_KILL_PROCESS),
    LOAD(NUMBER),
#if defined(__x86_64__)
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1),
    RETURN(SECCOMP_RET_KILL_PROCESS),
#endif
    /* The flags of clone3 are in memory, which a filter cannot read; libc falls back to clone. */
    IF_EQUAL(__NR_clone3),
    ANSWER(ENOSYS),

    DENY(mount),
    DENY(umount2),
    DENY(pivot_root),
    DENY(chroot),
    DENY(open_tree),
    DENY(move_mount),
    DENY(fsopen),
    DENY(fsconfig),
    DENY(fsmount),
    DENY(fspick),
    DENY(mount_setattr),
    DENY(unshare),
    DENY(setns),
    DENY(sethostname),
    DENY(setdomainname),
    DENY(seccomp),
    DENY(ptrace),
    DENY(process_vm_readv),
    DENY(process_vm_writev),
    DENY(process_madvise),
    DENY(pidfd_getfd),
    DENY(kcmp),
    DENY(keyctl),
    DENY(add_key),
    DENY(request_key),
    DENY(bpf),
    DENY(perf_event_open),
    DENY(userfaultfd),
    DENY(io_uring_setup),
    DENY(io_uring_enter),
    DENY(io_uring_register),
    DENY(open_by_handle_at),
    DENY(name_to_handle_at),
    DENY(personality),
    DENY(quotactl),
    DENY(init_module),
    DENY(finit_module),
    DENY(delete_module),
    DENY(kexec_load),

    /*
     * POSIX locks belong to a file table. A process that is not a thread but shares its parent's table could
     * take locks and exit: the locks would stay, and /proc/locks would not show them (locks.h).
     */
    ON_CALL(clone, LOAD(ARG0), IF_ANY_BIT(CLONE_NAMESPACES), ANSWER(EPERM), IF_ANY_BIT(CLONE_THREAD),
            ALLOW, IF_ANY_BIT(CLONE_FILES), ANSWER(EPERM), ALLOW),
    /* Access times of merged pages reveal whether a neighbour has the same page. */
    ON_CALL(prctl, LOAD(ARG0), IF_EQUAL(PR_SET_SECCOMP), ANSWER(EPERM), IF_EQUAL(PR_SET_MEMORY_MERGE),
            ANSWER(EPERM), ALLOW),

    /*
     * If core_pattern is a pipe, the host runs a program as root for each dump, whatever the limit,
     * unless the limit is 1 (core(5), fs/coredump.c). So a job cannot change it: the call returns 0
     * and does nothing.
     */
#if defined(__NR_setrlimit)
    ON_CALL(setrlimit, LOAD(ARG0), IF_EQUAL(RLIMIT_CORE), ANSWER(0), ALLOW),
#endif

    /* A job has the same uid as its init (PID 1): without this it could lower the init's limits or take its CPU. */
    ON_CALL(prlimit64, LOAD(ARG0), IF_EQUAL(INIT), ANSWER(EPERM), LOAD(ARG1),
            UNLESS_EQUAL(RLIMIT_CORE), ALLOW, LOAD(ARG2), UNLESS_EQUAL(0), ANSWER(0),
            LOAD(ARG2_HIGH), UNLESS_EQUAL(0), ANSWER(0), ALLOW),
    ON_CALL(sched_setaffinity, LOAD(ARG0), IF_EQUAL(INIT), ANSWER(EPERM), ALLOW),

    /*
     * A read that bypasses the page cache loads the host's disk, however little memory the job has. The
     * errno is that of a file system without O_DIRECT.
     */
#if defined(__NR_open)
    ON_CALL(open, LOAD(ARG1), IF_ANY_BIT(O_DIRECT), ANSWER(EINVAL), ALLOW),
#endif
    ON_CALL(openat, LOAD(ARG2), IF_ANY_BIT(O_DIRECT), ANSWER(EINVAL), ALLOW),
    /* Also denies locks of open file descriptions: their owner cannot be determined (locks.h). */
    ON_CALL(fcntl, LOAD(ARG1), IF_EQUAL(F_OFD_SETLK), ANSWER(EINVAL), IF_EQUAL(F_OFD_SETLKW),
            ANSWER(EINVAL), UNLESS_EQUAL(F_SETFL), ALLOW, LOAD(ARG2), IF_ANY_BIT(O_DIRECT),
            ANSWER(EINVAL), ALLOW),

    /* Terminals, which a job does not have, and queries for the host's file system and disk. */
    ON_CALL(ioctl, LOAD(ARG1), IF_EQUAL(TIOCSTI), ANSWER(EPERM), IF_EQUAL(TIOCSETD), ANSWER(EPERM),
            IF_EQUAL(TIOCLINUX), ANSWER(EPERM), IF_EQUAL(TIOCSPTLCK), ANSWER(EPERM),
            IF_EQUAL(TIOCGPTPEER), ANSWER(EPERM), IF_EQUAL(FS_IOC_GETFSMAP), ANSWER(ENOTTY),
            IF_EQUAL(FS_IOC_GETFSUUID), ANSWER(ENOTTY), IF_EQUAL(FS_IOC_GETFSSYSFSPATH),
            ANSWER(ENOTTY), IF_EQUAL(FS_IOC_GETFSLABEL), ANSWER(ENOTTY), ALLOW),

    /*
     * Allows unix, TCP and UDP, in a network namespace without a route out. Any other family or protocol
     * is kernel code that no program here needs, and that socket(2) alone may load as a module.
     */
    ON_CALL(socket,
            LOAD(ARG0), IF_EQUAL(AF_UNIX), ALLOW,
            UNLESS_EITHER(AF_INET, AF_INET6), ANSWER(EAFNOSUPPORT),
            LOAD(ARG1), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, SOCKET_TYPE_MASK),
            IF_EQUAL(SOCK_RAW), ANSWER(EPERM),
            UNLESS_EITHER(SOCK_STREAM, SOCK_DGRAM), ANSWER(ESOCKTNOSUPPORT),
            LOAD(ARG2), IF_EQUAL(0), ALLOW,
            UNLESS_EITHER(IPPROTO_TCP, IPPROTO_UDP), ANSWER(EPROTONOSUPPORT), ALLOW),
    ON_CALL(socketpair, LOAD(ARG0), IF_EQUAL(AF_UNIX), ALLOW, ANSWER(EAFNOSUPPORT)),

    /* Denies BPF programs of both kinds, and options that change the kind of a socket. */
    ON_CALL(setsockopt,
            LOAD(ARG1), BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 16), BPF_STMT(BPF_MISC | BPF_TAX, 0),
            LOAD(ARG2), BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
            IF_EQUAL(OPTION(SOL_SOCKET, SO_ATTACH_FILTER)), ANSWER(EPERM),
            IF_EQUAL(OPTION(SOL_SOCKET, SO_ATTACH_BPF)), ANSWER(EPERM),
            IF_EQUAL(OPTION(SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF)), ANSWER(EPERM),
            IF_EQUAL(OPTION(SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF)), ANSWER(EPERM),
            IF_EQUAL(OPTION(IPPROTO_TCP, TCP_ULP)), ANSWER(EPERM),
            IF_EQUAL(OPTION(IPPROTO_UDP, UDP_ENCAP)), ANSWER(EPERM),
            /* Returns 0 and does nothing, as the kernel does for sizes above its maximum. */
            IF_EQUAL(OPTION(SOL_SOCKET, SO_SNDBUF)), ANSWER(0),
            IF_EQUAL(OPTION(SOL_SOCKET, SO_RCVBUF)), ANSWER(0),
            LOAD(ARG1), IF_EQUAL(SOL_SOCKET), ALLOW, IF_EQUAL(IPPROTO_TCP), ALLOW,
            IF_EQUAL(IPPROTO_UDP), ALLOW,
            UNLESS_EITHER(IPPROTO_IP, IPPROTO_IPV6), ANSWER(ENOPROTOOPT), ALLOW),

    ALLOW,
};

bool filter_install(void) {
    struct sock_fprog program = {
        .len = sizeof RULES / sizeof RULES[0],
        .filter = (struct sock_filter *)RULES,
    };
    /* prctl, not seccomp(2): the cell's profile then need not allow the latter. */
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}
