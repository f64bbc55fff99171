/** 0 as ever: it did what it was asked, and found nothing wrong. */
export const EXIT_FAULTS = 1;
/** It could not do or judge it: a dependency is away, or the words are off. */
export const EXIT_UNABLE = 2;
