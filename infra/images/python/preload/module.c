/*
 * The end and the start of a program in a preloaded Python (infra/launcher/serve.h, preload.py), in C.
 *
 * The end is not Py_FinalizeEx. That frees every object of the interpreter, which copies every page that is
 * shared with the zygote: 15 ms of 20. Here only what the program has made is destroyed, in the same order.
 *
 * Rejected: a main() of our own, linked with libpython. Debian's shared library is 10 to 30 % slower than its
 * python3, which is linked statically, and its static library lacks a part (sha2).
 */
#define _GNU_SOURCE
#define PY_SSIZE_T_CLEAN
#define Py_BUILD_CORE_MODULE
#include <Python.h>
#include <internal/pycore_interp.h>
#include <internal/pycore_pystate.h>
#include <internal/pycore_runtime.h>
#include <signal.h>
#include <stdbool.h>

#include "serve.h"

enum {
    EXIT_FAILED = 70,
    EXIT_NO_FILE = 2,
    EXIT_NOT_FLUSHED = 120, /* as Py_RunMain */
    EXIT_SIGNALLED = 128,
    /* An interpreter starts with about 35 modules, and with 900 if it imports what data science needs. */
    KEPT_MAX = 2048
};

/* finalize_modules_delete_special */
static const char *const SYS_DELETED[] = {
    "path",       "argv",           "ps1",        "ps2",
    "last_exc",   "last_type",      "last_value", "last_traceback",
    "path_hooks", "path_importer_cache", "meta_path",  "__interactivehook__"};
static const char *const SYS_STREAMS[][2] = {
    {"stdin", "__stdin__"}, {"stdout", "__stdout__"}, {"stderr", "__stderr__"}};

/* Relative: a program's path begins with its folder (_begin), which is / here. */
static char *const SAMPLE[] = {"python3", "usr/local/lib/voidrunner/preload/sample.py", NULL};

/* sys.modules; and the modules that it had before the program began, with copies of their names. */
static PyObject *modules, *kept[KEPT_MAX], *kept_names[KEPT_MAX];
static size_t kept_count;

static PyObject *list_of(char **texts, PyObject *(*object_of)(const char *)) {
    PyObject *list = PyList_New(0);
    for (; list != NULL && *texts != NULL; texts++) {
        PyObject *object = object_of(*texts);
        if (object == NULL || PyList_Append(list, object) != 0) return NULL;
        Py_DECREF(object);
    }
    return list;
}

static void flush(const char *name, int *status) {
    PyObject *stream = PySys_GetObject(name), *closed, *done;
    if (stream == NULL || stream == Py_None) return;
    PyObject *raised = PyErr_GetRaisedException();
    Py_INCREF(stream);
    closed = PyObject_GetAttrString(stream, "closed");
    if (closed == NULL) PyErr_Clear();
    if (closed == NULL || PyObject_IsTrue(closed) == 0) {
        done = PyObject_CallMethod(stream, "flush", NULL);
        if (done == NULL && status != NULL) {
            if (strcmp(name, "stdout") == 0) PyErr_WriteUnraisable(stream);
            *status = EXIT_NOT_FLUSHED;
        }
        Py_XDECREF(done);
    }
    Py_XDECREF(closed);
    Py_DECREF(stream);
    PyErr_SetRaisedException(raised);
}

static void call_if_imported(const char *module, const char *function) {
    PyObject *name = PyUnicode_FromString(module), *found = PyImport_GetModule(name), *result;
    Py_XDECREF(name);
    if (found == NULL) {
        PyErr_Clear();
        return;
    }
    result = PyObject_CallMethod(found, function, NULL);
    if (result == NULL) PyErr_WriteUnraisable(found);
    Py_XDECREF(result);
    Py_DECREF(found);
}

/* From here on, daemon threads stop when they want the interpreter. */
static void be_finalizing(PyThreadState *state) {
    _PyInterpreterState_SetFinalizing(state->interp, state);
    _PyRuntimeState_SetFinalizing(&_PyRuntime, state);
}

/* keep_modules(): from now on, what is put into a module, or imported, is a program's. Call it before gc.freeze(). */
static PyObject *keep_modules(PyObject *self, PyObject *none) {
    PyObject *name, *module;
    Py_ssize_t at = 0;
    modules = PyImport_GetModuleDict();
    while (PyDict_Next(modules, &at, &name, &module)) {
        if (!PyModule_Check(module)) continue;
        if (kept_count == KEPT_MAX) {
            PyErr_SetString(PyExc_RuntimeError, "too many modules are imported ahead");
            return NULL;
        }
        /* What a program puts into sys is freed too late for anyone to notice. */
        bool is_sys = PyUnicode_EqualToUTF8(name, "sys");
        kept_names[kept_count] = is_sys ? NULL : PyDict_Copy(PyModule_GetDict(module));
        kept[kept_count++] = module;
    }
    (void)self;
    (void)none;
    Py_RETURN_NONE;
}

/* Takes from a module what a program has put into it. */
static void restore(PyObject *names, PyObject *before) {
    PyObject *changed = PyList_New(0), *name, *value;
    Py_ssize_t at = 0;
    while (changed != NULL && PyDict_Next(names, &at, &name, &value))
        if (PyDict_GetItemWithError(before, name) != value) PyList_Append(changed, name);
    for (Py_ssize_t i = 0; changed != NULL && i < PyList_GET_SIZE(changed); i++) {
        name = PyList_GET_ITEM(changed, i);
        value = PyDict_GetItemWithError(before, name);
        if ((value != NULL ? PyDict_SetItem(names, name, value) : PyDict_DelItem(names, name)) != 0) PyErr_Clear();
    }
    PyErr_Clear();
    Py_XDECREF(changed);
}

/*
 * Compares addresses: a reference taken and released copies the page of its object. sys.modules is ordered, so the
 * next module is usually the one after the last that was found.
 */
static bool is_kept(const PyObject *module) {
    static size_t next;
    for (size_t i = 0; i < kept_count; i++, next++)
        if (kept[next % kept_count] == module) {
            next++;
            return true;
        }
    return false;
}

/* @returns pairs of a name and a weak reference to its module */
static PyObject *modules_of_program(void) {
    PyObject *list = PyList_New(0), *name, *module;
    Py_ssize_t at = 0;
    while (list != NULL && PyDict_Next(modules, &at, &name, &module)) {
        if (!PyModule_Check(module) || is_kept(module)) continue;
        PyObject *reference = PyWeakref_NewRef(module, NULL);
        PyObject *pair = reference == NULL ? NULL : PyTuple_Pack(2, name, reference);
        if (pair != NULL) PyList_Append(list, pair);
        Py_XDECREF(pair);
        Py_XDECREF(reference);
        PyErr_Clear();
    }
    return list;
}

static bool is_private(PyObject *name) {
    return PyUnicode_GET_LENGTH(name) > 0 && PyUnicode_READ_CHAR(name, 0) == '_' &&
           (PyUnicode_GET_LENGTH(name) == 1 || PyUnicode_READ_CHAR(name, 1) != '_');
}

/* _PyModule_ClearDict: names with one underscore first. */
static void clear_names(PyObject *names) {
    for (int pass = 0; pass < 2; pass++) {
        PyObject *name, *value;
        Py_ssize_t at = 0;
        while (PyDict_Next(names, &at, &name, &value)) {
            if (value == Py_None || !PyUnicode_Check(name)) continue;
            bool now = pass == 0 ? is_private(name) : !PyUnicode_EqualToUTF8(name, "__builtins__");
            if (now && PyDict_SetItem(names, name, Py_None) != 0) PyErr_WriteUnraisable(NULL);
        }
    }
}

static void collect_garbage(PyObject *collect) {
    PyObject *result = PyObject_CallNoArgs(collect);
    if (result == NULL) PyErr_WriteUnraisable(collect);
    Py_XDECREF(result);
}

/* finalize_modules: destroys the program's modules, and with them what only they refer to. */
static void destroy_modules(PyObject *collect) {
    for (size_t i = 0; i < sizeof SYS_DELETED / sizeof *SYS_DELETED; i++)
        if (PySys_SetObject(SYS_DELETED[i], Py_None) != 0) PyErr_Clear();
    for (size_t i = 0; i < sizeof SYS_STREAMS / sizeof *SYS_STREAMS; i++) {
        PyObject *first = PySys_GetObject(SYS_STREAMS[i][1]);
        if (PySys_SetObject(SYS_STREAMS[i][0], first != NULL ? first : Py_None) != 0) PyErr_Clear();
    }
    PyObject *list = modules_of_program();
    Py_ssize_t count = list == NULL ? 0 : PyList_GET_SIZE(list);
    for (Py_ssize_t i = 0; i < count; i++)
        if (PyDict_DelItem(modules, PyTuple_GET_ITEM(PyList_GET_ITEM(list, i), 0)) != 0) PyErr_Clear();
    collect_garbage(collect);
    for (Py_ssize_t i = count - 1; i >= 0; i--) {
        PyObject *module = NULL;
        PyWeakref_GetRef(PyTuple_GET_ITEM(PyList_GET_ITEM(list, i), 1), &module);
        if (module == NULL) continue;
        clear_names(PyModule_GetDict(module));
        Py_DECREF(module);
    }
    for (size_t i = 0; i < kept_count; i++)
        if (kept_names[i] != NULL) restore(PyModule_GetDict(kept[i]), kept_names[i]);
    collect_garbage(collect);
}

/* The steps of Py_FinalizeEx that a program notices. @returns the exit code */
static int finalize(PyObject *collect, int code) {
    PyThreadState *state = PyThreadState_Get();
    call_if_imported("threading", "_shutdown");
    Py_MakePendingCalls();
    call_if_imported("atexit", "_run_exitfuncs");
    be_finalizing(state);
    flush("stdout", &code);
    flush("stderr", &code);
    PyGC_Collect();
    destroy_modules(collect);
    flush("stdout", &code);
    flush("stderr", &code);
    return code;
}

/* As Py_RunMain: an uncaught KeyboardInterrupt is the end by its signal. */
static _Noreturn void end_by_interrupt(void) {
    PyOS_setsig(SIGINT, SIG_DFL);
    kill(getpid(), SIGINT);
    exit(EXIT_SIGNALLED + SIGINT);
}

/* sys.exit(), as the interpreter reads its argument. Clears the exception. */
static int exit_code(void) {
    PyObject *exception = PyErr_GetRaisedException();
    PyObject *value = PyObject_GetAttrString(exception, "code");
    int code = EXIT_SUCCESS;
    if (value == NULL) {
        PyErr_Clear();
        value = Py_NewRef(exception);
    }
    if (PyLong_Check(value)) {
        code = (int)PyLong_AsLong(value);
    } else if (value != Py_None) {
        PyObject *stream = PySys_GetObject("stderr");
        PyErr_Clear();
        if (stream != NULL && stream != Py_None) PyFile_WriteObject(value, stream, Py_PRINT_RAW);
        else PyObject_Print(value, stderr, Py_PRINT_RAW);
        PySys_WriteStderr("\n");
        code = EXIT_FAILURE;
    }
    PyErr_Clear();
    Py_DECREF(value);
    Py_DECREF(exception);
    return code;
}

static int run(const char *path, PyObject *names) {
    PyCompilerFlags flags = _PyCompilerFlags_INIT;
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        PySys_FormatStderr("python3: can't open file '%s': [Errno %d] %s\n", path, errno, strerror(errno));
        return EXIT_NO_FILE;
    }
    PyObject *result = PyRun_FileExFlags(file, path, Py_file_input, names, names, true, &flags);
    flush("stderr", NULL);
    flush("stdout", NULL);
    if (result == NULL && PyErr_ExceptionMatches(PyExc_SystemExit)) return exit_code();
    if (result == NULL) PyErr_Print();
    if (PyDict_DelItemString(names, "__file__") != 0) PyErr_Clear();
    if (PyDict_DelItemString(names, "__cached__") != 0) PyErr_Clear();
    return result != NULL ? EXIT_SUCCESS : EXIT_FAILURE;
}

static _Noreturn void run_program(PyObject *begin, PyObject *collect, const struct program *program) {
    PyObject *arguments = list_of(program->argv, PyUnicode_DecodeFSDefault);
    PyObject *variables = list_of(program->env, PyBytes_FromString);
    PyObject *path = PyObject_CallFunctionObjArgs(begin, arguments, variables, NULL);
    if (path == NULL) {
        PyErr_Print();
        _exit(EXIT_FAILED);
    }
    PyObject *names = PyModule_GetDict(PyImport_AddModule("__main__"));
    int code = finalize(collect, run(PyUnicode_AsUTF8(path), names));
    if (_PyRuntime.signals.unhandled_keyboard_interrupt) end_by_interrupt();
    serve_exit(code);
}

/* serve(begin, collect, kept): waits for jobs. Never returns. */
static PyObject *serve(PyObject *module, PyObject *functions) {
    PyObject *begin, *collect, *unfreed;
    (void)module;
    if (!PyArg_ParseTuple(functions, "OOO", &begin, &collect, &unfreed)) return NULL;
    /* A program must not see the frames of preload.py: this state has none. The fork ends the other one. */
    PyThreadState_Swap(PyThreadState_New(PyInterpreterState_Get()));
    PyOS_BeforeFork();
    struct program program = serve_jobs(SAMPLE);
    PyOS_AfterFork_Child();
    /* The interpreter's own, which the fork has ended: signals are delivered to it. */
    _PyRuntime.main_tstate = PyThreadState_Get();
    run_program(begin, collect, &program);
}

static PyMethodDef methods[] = {{"keep_modules", keep_modules, METH_NOARGS, NULL},
                                {"serve", serve, METH_VARARGS, NULL},
                                {NULL, NULL, 0, NULL}};
static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "_voidrunner_preload", .m_size = -1, .m_methods = methods};

PyMODINIT_FUNC PyInit__voidrunner_preload(void);
PyMODINIT_FUNC PyInit__voidrunner_preload(void) {
    return PyModule_Create(&definition);
}
