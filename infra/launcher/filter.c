#include "filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
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
/* The low half: what the kernel looks at of clone's flags and of prctl's option. */
#define ARG0 offsetof(struct seccomp_data, args[0])

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, field)
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)
#define ANSWER(number) RETURN(SECCOMP_RET_ERRNO | (number))
/* Skips the one instruction that follows unless the condition holds. */
#define IF_EQUAL(value) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1)
#define IF_ANY_BIT(mask) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, mask, 0, 1)
#define DENY(call) IF_EQUAL(__NR_##call), ANSWER(EPERM)

/*
 * Default: allow, because the cell's profile, which stays in force, is the allow-list. An errno and
 * not a kill: programs probe for system calls and must be able to go on without them.
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
    /* Its flags lie in memory, where a filter cannot look; libc falls back to clone. */
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

    /* The last two look at an argument, after which the number is no longer at hand. */
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone, 0, 4),
    LOAD(ARG0),
    IF_ANY_BIT(CLONE_NAMESPACES),
    ANSWER(EPERM),
    RETURN(SECCOMP_RET_ALLOW),

    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_prctl, 0, 3),
    LOAD(ARG0),
    IF_EQUAL(PR_SET_SECCOMP),
    ANSWER(EPERM),
    RETURN(SECCOMP_RET_ALLOW),
};

bool filter_install(void) {
    struct sock_fprog program = {
        .len = sizeof RULES / sizeof RULES[0],
        .filter = (struct sock_filter *)RULES,
    };
    /* prctl and not seccomp(2): the cell's profile need not grant the latter. */
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}
