/* The signals of a process that becomes another program. */
#ifndef LAUNCHER_SIGNALS_H
#define LAUNCHER_SIGNALS_H

void signals_block_all(void);
void signals_unblock_all(void);

/* All dispositions are the default already, except SIGPIPE, which the launcher ignores. Unblocks all. */
void signals_reset(void);

#endif
