// 0: the command succeeded and found no faults.

/** The command ran, and found faults, or did not find the object. */
export const EXIT_FAULTS = 1;
/** The command failed: a dependency or the server is down, the settings are invalid, or the service refuses. */
export const EXIT_UNABLE = 2;
/** A usage error: an unknown option, or a missing or malformed argument. EX_USAGE of sysexits.h. */
export const EXIT_USAGE = 64;

// Commands that run a program have its exit code. Theirs are those of timeout(1), docker-run(1) and the shells.

/** The program reached its limit of time or CPU time. */
export const EXIT_TIME_LIMIT = 124;
/** The program was not run, or its end is not known: wrong usage, no login, a refusal, an outage. */
export const EXIT_NOT_RUN = 125;
/** The program cannot be run: it does not compile. */
export const EXIT_NOT_COMPILED = 126;
/** Plus the number of the signal that ended the program, or this command line. */
export const EXIT_SIGNAL_BASE = 128;

/** Printed below the help of the program. */
export const EXIT_CODES_HELP =
  '\nExit codes: 0 success, no faults; 1 faults found, or object not found; 2 the command failed; 64 usage error.' +
  '\nrun, tasks run, executions rerun: that of the program; 124 time limit; 125 not run; 126 does not compile; 128+n signal n.';
