/* The second seccomp filter: denies jobs the calls that the cell's profile allows the launcher. */
#ifndef LAUNCHER_FILTER_H
#define LAUNCHER_FILTER_H

#include <stdbool.h>

/* Applies to this process and its descendants; it cannot be removed. Needs no_new_privs. */
bool filter_install(void);

#endif
