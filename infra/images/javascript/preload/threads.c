/*
 * Loaded into a preloaded Node ahead of libc (LD_PRELOAD). At its end, Node waits for its platform's threads, which
 * a forked process does not have. Here they are gone.
 *
 * The threads of the zygote get stacks of their own, which libc does not give to later threads: otherwise a thread of
 * the program would have the number of one that is gone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { THREADS_MAX = 16, STACK_BYTES = 8 * 1024 * 1024 };

static pthread_t threads[THREADS_MAX];
static int count;
static bool is_forked;

static void forked(void) {
    is_forked = true;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument) {
    static int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    pthread_attr_t own;
    if (create == NULL) create = dlsym(RTLD_NEXT, "pthread_create");
    if (is_forked) return create(thread, attributes, start, argument);
    if (count == 0) pthread_atfork(NULL, NULL, forked);
    if (count == THREADS_MAX) return EAGAIN;
    void *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    if (stack == MAP_FAILED) return EAGAIN;
    pthread_attr_init(&own);
    pthread_attr_setstack(&own, stack, STACK_BYTES);
    int error = create(thread, &own, start, argument);
    pthread_attr_destroy(&own);
    if (error == 0) threads[count++] = *thread;
    return error;
}

int pthread_join(pthread_t thread, void **result) {
    static int (*join)(pthread_t, void **);
    if (join == NULL) join = dlsym(RTLD_NEXT, "pthread_join");
    for (int i = 0; i < count && is_forked; i++)
        if (threads[i] == thread) return 0;
    return join(thread, result);
}

/* A thread that is gone counts as a user of what it waited for. libc would wait for it, or refuse. There is nothing to free. */
int pthread_cond_destroy(pthread_cond_t *condition) {
    static int (*destroy)(pthread_cond_t *);
    if (destroy == NULL) destroy = dlsym(RTLD_NEXT, "pthread_cond_destroy");
    return is_forked ? 0 : destroy(condition);
}

int pthread_mutex_destroy(pthread_mutex_t *mutex) {
    static int (*destroy)(pthread_mutex_t *);
    if (destroy == NULL) destroy = dlsym(RTLD_NEXT, "pthread_mutex_destroy");
    return is_forked ? 0 : destroy(mutex);
}

/*
 * V8 returns memory that it does not use, and relies on zeros when it uses it again. The zygote's memory is a file's
 * (infra/launcher/snapshot.h), and would have its first content again.
 */
int madvise(void *address, size_t size, int advice) {
    static int (*usual)(void *, size_t, int);
    if (usual == NULL) usual = dlsym(RTLD_NEXT, "madvise");
    bool discards = advice == MADV_DONTNEED || advice == MADV_FREE;
    /* Refused for memory that is not anonymous. */
    if (!is_forked || !discards || usual(address, size, MADV_FREE) == 0 || errno != EINVAL)
        return usual(address, size, advice);
    memset(address, 0, size);
    return 0;
}

/* Without the destructors of node's objects: they copy pages that are about to be freed. */
void exit(int code) {
    static void (*usual)(int) __attribute__((noreturn));
    if (usual == NULL) usual = dlsym(RTLD_NEXT, "exit");
    if (!is_forked) usual(code);
    fflush(NULL);
    _exit(code);
}
