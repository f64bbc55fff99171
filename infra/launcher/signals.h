/* The signals of an init, and of a process that becomes another program. */
#ifndef LAUNCHER_SIGNALS_H
#define LAUNCHER_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/* The launcher sends it to an init, which then kills all other processes of its job. */
#define ORDER_TO_END SIGTERM

void signals_block_all(void);
void signals_unblock_all(void);

/* Until it is awaited: a signal that is not blocked does not reach an init (pid_namespaces(7)). */
void signals_block_order(void);

/* Whether the launcher sent it, which is outside the job's namespace: programs can send the same signal. */
bool signals_is_order(const siginfo_t *info);

/* All dispositions are the default already, except SIGPIPE, which the launcher ignores. Unblocks all. */
void signals_reset(void);

#endif
