/* The end of a plain job: no namespace ends its processes for us. */
#ifndef LAUNCHER_REAP_H
#define LAUNCHER_REAP_H

/* Kills every process but the launcher; to be repeated until nobody is left to wait for. */
void kill_everyone(void);

/* Kills and waits for whatever is left, for the launcher's own end. */
void end_everyone(void);

#endif
