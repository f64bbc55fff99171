/* The least that a test needs: a condition that must hold, and a count of them. */
#ifndef LAUNCHER_TEST_CHECK_H
#define LAUNCHER_TEST_CHECK_H

#include <stdio.h>
#include <stdlib.h>

static unsigned long checks;

#define CHECK(condition)                                                                     \
    do {                                                                                     \
        checks++;                                                                            \
        if (!(condition)) {                                                                  \
            fprintf(stderr, "%s:%d: %s: not so: %s\n", __FILE__, __LINE__, __func__,         \
                    #condition);                                                             \
            exit(1);                                                                         \
        }                                                                                    \
    } while (0)

static inline int checks_done(const char *name) {
    printf("%s: %lu checks hold\n", name, checks);
    return 0;
}

#endif
