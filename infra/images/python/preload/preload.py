"""A preloaded Python: started as a script, it becomes the program of each job (module.c).

The start and the end of a program do what the interpreter does for `python3 main.py` (Modules/main.c and
Python/pylifecycle.c of CPython). Nothing may stay imported here that a program would not find
imported, except what the runtime declares.
"""

import builtins
import gc
import sys
from _frozen_importlib_external import SourceFileLoader
from _voidrunner_preload import keep_modules, serve
from posix import environ, getcwd

# For the functions below: a program may replace the builtins of its own modules.
__builtins__ = dict(vars(builtins))

_modules = sys.modules


def _begin(arguments, variables):
    """Takes the command line and the environment (NAME=value). Returns the path of the script."""
    folder = getcwd()
    path = folder + "/" + arguments[1]
    sys.orig_argv = arguments
    sys.argv = arguments[1:]
    sys.path.insert(0, folder)
    sys.path_importer_cache[path] = None
    # The dictionary below os.environ. Of two values, the first counts.
    environ.clear()
    for variable in variables:
        name, _, value = variable.partition(b"=")
        environ.setdefault(name, value)
    # Made after the fork: what is frozen is never collected.
    main = _modules["__main__"] = type(sys)("__main__")
    main.__loader__ = SourceFileLoader("__main__", path)
    main.__annotations__ = {}
    main.__builtins__ = builtins
    main.__file__ = path
    main.__cached__ = None
    # Its global generator was seeded when it was imported; random reseeds itself.
    numpy_random = _modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()
    return path


def _wait_for_jobs():
    for path in (__file__, sys.path.pop(0)):
        del sys.path_importer_cache[path]
    # What the runtime's file declares (runtimes/*.yaml, preload.imports). Programs find these imported.
    for name in sys.argv[1:]:
        __import__(name)
    # Only the place among the others.
    _modules["__main__"] = None
    del _modules["_voidrunner_preload"], _modules["gc"]
    gc.collect()
    keep_modules()
    # What exists now is never collected, so that a collection does not copy its pages.
    gc.freeze()
    # Keeps what the end of a program takes from sys: nobody frees it.
    kept = (sys.path_importer_cache, sys.path_hooks, sys.meta_path, sys.path)
    serve(_begin, gc.collect, kept)


_wait_for_jobs()
