// 0: it did what it was asked, and found nothing wrong.

/** It looked, and what it found is wrong or is not there. */
export const EXIT_FAULTS = 1;
/** It could not do or judge it: a dependency is away, the settings are at fault, the service refuses. */
export const EXIT_UNABLE = 2;
/** It was called wrongly: an unknown option, a missing or malformed argument. EX_USAGE of sysexits.h. */
export const EXIT_USAGE = 64;

/** Stands below the help of the whole and of each command. */
export const EXIT_CODES_HELP =
  '\nExit codes: 0 done, nothing wrong; 1 faults found, or not found; 2 it could not be done or judged;\n' +
  '64 called wrongly.';
