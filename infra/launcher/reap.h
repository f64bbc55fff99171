/* Ends a plain job: no namespace ends its processes. */
#ifndef LAUNCHER_REAP_H
#define LAUNCHER_REAP_H

/* Kills every process except the launcher. Repeat until there is no child left to wait for. */
void kill_everyone(void);

/* Kills all remaining processes and waits for them, before the launcher exits. */
void end_everyone(void);

#endif
