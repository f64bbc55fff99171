/* When the counter of CPU time is looked at, and when its limit is reached. */
#include "check.h"
#include "cpu-time.h"

static void has_no_limit_unless_one_is_given(void) {
    struct cpu_time cpu_time;
    cpu_time_begin(&cpu_time, 0, 1000);
    cpu_time_start(&cpu_time, 5000, 1000000);
    CHECK(cpu_time.due_us == INT64_MAX);
    cpu_time_begin(&cpu_time, 100, 1000);
    CHECK(cpu_time.due_us == INT64_MAX);
    cpu_time_start(&cpu_time, -1, 1000000);
    CHECK(cpu_time.due_us == INT64_MAX);
}

static void looks_when_the_limit_can_be_reached(void) {
    struct cpu_time cpu_time;
    cpu_time_begin(&cpu_time, 100, 1000);
    cpu_time_start(&cpu_time, 5000, 1000000);
    CHECK(cpu_time.due_us == 1100000);
    /* It has slept for most of the time. */
    CHECK(!cpu_time_is_reached(&cpu_time, 25000, 1100000));
    CHECK(cpu_time.due_us == 1180000);
    /* Never more often than once a millisecond. */
    CHECK(!cpu_time_is_reached(&cpu_time, 104999, 1180000));
    CHECK(cpu_time.due_us == 1181000);
    CHECK(cpu_time_is_reached(&cpu_time, 105000, 1181000));
    CHECK(cpu_time.due_us == INT64_MAX);
}

static void counts_every_cpu(void) {
    struct cpu_time cpu_time;
    cpu_time_begin(&cpu_time, 100, 3500);
    cpu_time_start(&cpu_time, 0, 0);
    CHECK(cpu_time.due_us == 25000);
    cpu_time_begin(&cpu_time, 100, 250);
    cpu_time_start(&cpu_time, 0, 0);
    CHECK(cpu_time.due_us == 100000);
    cpu_time_begin(&cpu_time, UINT32_MAX, 1000000);
    cpu_time_start(&cpu_time, 0, 0);
    CHECK(cpu_time.due_us == (int64_t)UINT32_MAX && !cpu_time_is_reached(&cpu_time, 1, 1));
}

static void gives_up_without_a_counter(void) {
    struct cpu_time cpu_time;
    cpu_time_begin(&cpu_time, 100, 1000);
    cpu_time_start(&cpu_time, 0, 0);
    CHECK(!cpu_time_is_reached(&cpu_time, -1, 100000));
    CHECK(cpu_time.due_us == INT64_MAX);
}

int main(void) {
    has_no_limit_unless_one_is_given();
    looks_when_the_limit_can_be_reached();
    counts_every_cpu();
    gives_up_without_a_counter();
    return checks_done("cpu-time");
}
