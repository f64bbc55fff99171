/* A job's files. They are written before any user code runs; symbolic links are never followed. */
#ifndef LAUNCHER_FILES_H
#define LAUNCHER_FILES_H

#include "job.h"

/*
 * Makes and enters the working folder, writes the files in it, and a program that was compiled earlier. Returns
 * NULL, or the path that could not be made; errno has the cause.
 */
const char *files_write(const struct job *job);

/* Writes all bytes. */
bool write_all(int fd, const void *bytes, size_t size);

#endif
