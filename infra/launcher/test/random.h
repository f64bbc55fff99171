/* Random numbers that are the same everywhere, so that a failure happens again (xorshift64). */
#ifndef LAUNCHER_TEST_RANDOM_H
#define LAUNCHER_TEST_RANDOM_H

#include <stddef.h>
#include <stdint.h>

static uint64_t random_state;

static inline void random_seed(uint64_t seed) {
    random_state = seed * 0x9E3779B97F4A7C15u;
}

static inline uint32_t random_u32(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 16);
}

static inline size_t below(size_t bound) {
    return bound == 0 ? 0 : random_u32() % bound;
}

#endif
