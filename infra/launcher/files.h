/* A job's files. Written before any user code runs, never followed anywhere. */
#ifndef LAUNCHER_FILES_H
#define LAUNCHER_FILES_H

#include "job.h"

/*
 * Makes the working folder and the files in it and enters it. Returns NULL, or the path that
 * could not be made; errno says why.
 */
const char *files_write(const struct job *job);

/* Writes it all. */
bool write_all(int fd, const void *bytes, size_t size);

#endif
