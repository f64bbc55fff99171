/* Which paths a pattern matches, and how long that takes at most. */
#include "check.h"
#include "globs.h"
#include "random.h"

#include <string.h>
#include <time.h>

/* Goes through the path's names as a search does. @returns whether the pattern matches it */
static bool matches(const char *pattern, const char *path) {
    struct globs globs = {0};
    char names[512], *rest = names, *name;
    CHECK(globs_add(&globs, pattern));
    struct globs_state state = globs_begin(&globs);
    strcpy(names, path);
    while ((name = strsep(&rest, "/")) != NULL) {
        /* A search does not enter a folder below which nothing can match. */
        if (!globs_go_on(&globs, &state)) return false;
        state = globs_step(&globs, &state, name);
    }
    return globs_matched(&globs, &state) == 1;
}

static bool is_refused(const char *pattern) {
    struct globs globs = {0};
    return !globs_add(&globs, pattern);
}

static void matches_names(void) {
    CHECK(matches("a.png", "a.png") && !matches("a.png", "b.png") && !matches("a.png", "a.png/x"));
    CHECK(matches("*.png", "a.png") && matches("*", "a") && !matches("*.png", "x/a.png"));
    CHECK(matches("a?c", "abc") && !matches("a?c", "ac") && matches("a?c", "a\xC3\xA9" "c"));
    CHECK(matches("*a*b", "xaxbxb") && !matches("*a*b", "xaxbx") && matches("a*", "a") && matches("**a", "xa"));
    CHECK(matches("[a-c]x", "bx") && !matches("[a-c]x", "dx") && !matches("[!a-c]x", "bx"));
    CHECK(matches("[^a]x", "\xC3\xA9x") && !matches("[\xC3]x", "\xC3x") && matches("[]]", "]"));
    CHECK(matches("[a", "[a") && matches("\\*", "*") && !matches("\\*", "a") && matches("[a-]", "-"));
}

static void matches_folders(void) {
    CHECK(matches("out/*.csv", "out/a.csv") && !matches("out/*.csv", "out/b/a.csv"));
    CHECK(matches("**/*.csv", "a.csv") && matches("**/*.csv", "a/b/c/a.csv") && !matches("**/*.csv", "a/b"));
    CHECK(matches("out/**", "out/a") && matches("out/**", "out/a/b") && !matches("out/**", "out"));
    CHECK(matches("a/**/b/**/c", "a/b/c") && matches("a/**/b/**/c", "a/x/b/y/z/c") && !matches("a/**/b", "a/x"));
    CHECK(matches("**", "a") && matches("**", "a/b/c"));
}

static void matches_hidden_names_only_by_a_dot(void) {
    CHECK(!matches("*", ".a") && !matches("?a", ".a") && !matches("[.]a", ".a") && matches(".*", ".a"));
    CHECK(!matches("**", ".a/b") && !matches("**/*", "a/.b") && matches("**/.b", "a/.b"));
    CHECK(matches(".cache/**", ".cache/a") && !matches(".cache/**", ".cache/.a"));
}

static void refuses_what_leaves_the_folder(void) {
    static const char *const refused[] = {"", "/a", "a/", "a//b", ".", "..", "./a", "a/../b", "a/..", "../a"};
    char longest[GLOB_BYTES_MAX + 2], deepest[2 * GLOB_PARTS_MAX + 2];
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) CHECK(is_refused(refused[i]));
    CHECK(!is_refused("...") && !is_refused("a..") && !is_refused("..a"));
    memset(longest, 'a', sizeof longest);
    longest[GLOB_BYTES_MAX + 1] = 0;
    CHECK(is_refused(longest));
    longest[GLOB_BYTES_MAX] = 0;
    CHECK(!is_refused(longest));
    memset(deepest, '/', sizeof deepest);
    for (size_t i = 0; i < sizeof deepest; i += 2) deepest[i] = 'a';
    deepest[2 * GLOB_PARTS_MAX + 1] = 0;
    CHECK(is_refused(deepest));
    deepest[2 * GLOB_PARTS_MAX - 1] = 0;
    CHECK(!is_refused(deepest));
    memcpy(deepest + 2 * GLOB_PARTS_MAX - 2, "**", sizeof "**");
    CHECK(is_refused(deepest));
}

static void tells_which_patterns_match(void) {
    struct globs globs = {0};
    CHECK(globs_add(&globs, "a*") && globs_add(&globs, "b") && globs_add(&globs, "*c"));
    struct globs_state begin = globs_begin(&globs), state = globs_step(&globs, &begin, "abc");
    CHECK(globs_matched(&globs, &state) == 5 && !globs_go_on(&globs, &state));
    for (int i = 3; i < GLOBS_MAX; i++) CHECK(globs_add(&globs, "x"));
    CHECK(!globs_add(&globs, "x"));
}

/* A matcher that tries every `*` would not come back. */
static void takes_no_time_on_many_stars(void) {
    char pattern[GLOB_BYTES_MAX + 1], name[256];
    for (int i = 0; i < GLOB_BYTES_MAX; i++) pattern[i] = i % 2 ? 'a' : '*';
    pattern[GLOB_BYTES_MAX - 1] = 'b';
    pattern[GLOB_BYTES_MAX] = 0;
    memset(name, 'a', sizeof name);
    name[255] = 0;
    CHECK(!matches(pattern, name));
}

/* The sanitizers judge. */
static void survives_any_bytes(void) {
    static const char letters[] = "*?[]!^-\\./a\x80\xC3\xFF";
    char pattern[40], name[40];
    random_state = 7;
    for (int round = 0; round < 20000; round++) {
        size_t pattern_size = below(sizeof pattern), name_size = 1 + below(sizeof name - 1);
        for (size_t i = 0; i < pattern_size; i++) pattern[i] = letters[below(sizeof letters - 1)];
        for (size_t i = 0; i < name_size; i++) name[i] = letters[below(sizeof letters - 1)];
        pattern[pattern_size] = name[name_size] = 0;
        if (!is_refused(pattern)) checks += matches(pattern, name);
    }
}

int main(void) {
    matches_names();
    matches_folders();
    matches_hidden_names_only_by_a_dot();
    refuses_what_leaves_the_folder();
    tells_which_patterns_match();
    takes_no_time_on_many_stars();
    survives_any_bytes();
    return checks_done("globs-test");
}
