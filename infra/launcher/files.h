/* A job's files. They are written before any user code runs; symbolic links are never followed. */
#ifndef LAUNCHER_FILES_H
#define LAUNCHER_FILES_H

#include "base.h"
#include "job.h"

/*
 * Makes and enters the working folder, writes the files of the base in it, those of the job, and, unless it has been
 * mounted (program.h), the program of the base. Returns NULL, or the path that could not be made; errno has the cause.
 */
const char *files_write(const struct job *job, const struct base *base);

/* Writes all bytes. */
bool write_all(int fd, const void *bytes, size_t size);

#endif
