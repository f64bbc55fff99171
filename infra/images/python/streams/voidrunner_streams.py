"""Gathers what a program prints, and yet lets none of it wait: see buffer.h.

Loaded at the start of every Python of the image (voidrunner.pth), and gives the methods of sys.stdout and
sys.stderr another end where they are pipes. Under `python3 -u` and PYTHONUNBUFFERED they have no buffer, and
stay as they are.
"""

import os
import sys
from _io import BufferedWriter, FileIO, TextIOWrapper
from stat import S_ISFIFO

# They act on the descriptors below the streams, or end the process at once.
_BESIDE_THE_STREAMS = ("_exit", "abort", "close", "closerange", "dup2", "sendfile", "splice", "write", "writev")


def _is_usual(text, descriptor):
    return (
        type(text) is TextIOWrapper
        and type(text.buffer) is BufferedWriter
        and type(text.buffer.raw) is FileIO
        and text.fileno() == descriptor
        and S_ISFIFO(os.fstat(descriptor).st_mode)
    )


def _take_over(text, stream):
    from _voidrunner_streams import Output

    buffer = text.buffer
    usual_reconfigure, usual_detach = text.reconfigure, text.detach
    usual_close, usual_buffer_detach = buffer.close, buffer.detach
    output = Output(stream, text.write, buffer.write, buffer.flush)

    def reconfigure(**options):
        nonlocal translates
        usual_reconfigure(**options)
        # Nothing may stay in the text stream itself, which only the interpreter can write out.
        usual_reconfigure(write_through=True)
        if "newline" in options:
            translates = options["newline"] not in (None, "", "\n")
        output.by_line = text.line_buffering
        output.fast = not translates and text.encoding.lower() in ("utf-8", "utf8")

    def detach():
        output.fast = False
        return usual_detach()

    def close():
        try:
            output.flush()
        finally:
            output.open = False
            usual_close()

    def detach_buffer():
        output.flush()
        output.open = False
        return usual_buffer_detach()

    translates = False
    text.write, text.reconfigure, text.detach = output.write, reconfigure, detach
    buffer.write, buffer.flush = output.put, output.flush
    buffer.close, buffer.detach = close, detach_buffer
    reconfigure(line_buffering=False)


def _install():
    streams = [(sys.stdout, 0), (sys.stderr, 1)]
    streams = [(text, stream) for text, stream in streams if _is_usual(text, stream + 1)]
    if not streams:
        return
    for text, stream in streams:
        _take_over(text, stream)

    import _signal
    import posix

    from _voidrunner_streams import flush_before

    for name in _BESIDE_THE_STREAMS:
        if hasattr(posix, name):
            function = flush_before(getattr(posix, name))
            setattr(posix, name, function)
            setattr(os, name, function)
    _signal.raise_signal = flush_before(_signal.raise_signal)


_install()
