// 0: the command succeeded and found no faults.

/** The command ran, and found faults, or did not find the object. */
export const EXIT_FAULTS = 1;
/** The command failed: a dependency is down, the settings are invalid, or the service refuses. */
export const EXIT_UNABLE = 2;
/** A usage error: an unknown option, or a missing or malformed argument. EX_USAGE of sysexits.h. */
export const EXIT_USAGE = 64;

/** Printed below the help of the program. */
export const EXIT_CODES_HELP =
  '\nExit codes: 0 success, no faults; 1 faults found, or object not found; 2 the command failed; 64 usage error.';
