/* The second seccomp filter: takes back what the cell's profile grants to the launcher. */
#ifndef LAUNCHER_FILTER_H
#define LAUNCHER_FILTER_H

#include <stdbool.h>

/* For this process and all that it starts; it cannot be taken off. Needs no_new_privs. */
bool filter_install(void);

#endif
