/*
 * A stream of bytes to one descriptor, buffered so that nothing stays behind: no bytes wait longer
 * than FLUSH_AFTER_MS, whatever the program does meanwhile. Knows nothing of Python.
 *
 * The first WRITES_MAX writes of every WINDOW_MS are written at once: what most programs print is
 * out before the call returns, and they never have a second thread. Only those that print more
 * have their writes gathered; a thread of this file, which needs no lock of the interpreter,
 * writes them out.
 */
#ifndef STREAMS_BUFFER_H
#define STREAMS_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

enum { STREAMS = 2 }; /* by descriptor: 1 and 2 are the streams 0 and 1 */

/* @returns false where the stream is busy: call buffer_write, without any lock of your own, then */
bool buffer_try(int stream, const char *bytes, size_t size);

/* May wait for the reader. @returns 0, or the errno of a failed write; the bytes are dropped then. */
int buffer_write(int stream, const char *bytes, size_t size);

/* Until the reader has taken what is gathered. @returns 0 or an errno */
int buffer_flush(int stream);

/* True where a flush would find something to write. */
bool buffer_pending(int stream);

/*
 * Once: a fork finds no bytes, no thread and no held lock; an exit and the signals that a faulty program
 * dies of find the bytes written.
 */
void buffer_install(void);

#endif
