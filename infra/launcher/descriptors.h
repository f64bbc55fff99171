/* Closing descriptors that a program must not get. */
#ifndef LAUNCHER_DESCRIPTORS_H
#define LAUNCHER_DESCRIPTORS_H

enum {
    /* The launcher opens no descriptor from this number on, but for samples of a run that has started. */
    DESCRIPTORS_MAX = 64,
    /* Of a preloaded interpreter: its limit (container-spec.ts). */
    DESCRIPTORS_NOTED_MAX = 256
};

/* All below DESCRIPTORS_MAX, from `first` on, except these; -1 is none. */
void descriptors_close_all_but(int first, const int *kept, int count);

/* Notes which descriptors are open now, except one. */
void descriptors_note(int except);

/* Closes all but standard input, output and error, and those that were noted. */
void descriptors_close_unnoted(void);

#endif
