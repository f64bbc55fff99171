/* A job's files and standard input. Written before any user code runs, never followed anywhere. */
#ifndef LAUNCHER_FILES_H
#define LAUNCHER_FILES_H

#include "job.h"

/*
 * Makes the working folder and the files in it and enters it. Returns NULL, or the path that
 * could not be made; errno says why.
 */
const char *files_write(const struct job *job);

/* A descriptor that reads the job's input from its beginning and cannot write it; -1 with errno. */
int files_input(const struct job *job);

/* Writes it all. */
bool write_all(int fd, const void *bytes, size_t size);

#endif
