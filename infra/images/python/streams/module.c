/*
 * _voidrunner_streams: what voidrunner_streams.py puts in place of the methods of sys.stdout and
 * sys.stderr. The objects themselves stay Python's own.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "buffer.h"

struct output {
    PyObject_HEAD
    int stream;
    char open;    /* closed or detached: the usual methods say so */
    char fast;    /* UTF-8, newlines as they are */
    char by_line; /* asked for by the program */
    PyObject *usual_write; /* of the text stream: it encodes, and calls put() */
    PyObject *usual_put;
    PyObject *usual_flush;
};

static PyObject *failed(int error) {
    errno = error;
    return PyErr_SetFromErrno(PyExc_OSError);
}

static int emit(const struct output *self, const char *bytes, size_t size) {
    int error = 0;
    if (buffer_try(self->stream, bytes, size)) return 0;
    Py_BEGIN_ALLOW_THREADS
    error = buffer_write(self->stream, bytes, size);
    Py_END_ALLOW_THREADS
    return error;
}

static int flush(int stream) {
    int error = 0;
    if (!buffer_pending(stream)) return 0;
    Py_BEGIN_ALLOW_THREADS
    error = buffer_flush(stream);
    Py_END_ALLOW_THREADS
    return error;
}

static void flush_all(void) {
    for (int i = 0; i < STREAMS; i++) flush(i);
}

static PyObject *output_write(struct output *self, PyObject *text) {
    PyObject *encoded = NULL;
    const char *bytes;
    Py_ssize_t size;
    if (!PyUnicode_Check(text) || !self->open || !self->fast)
        return PyObject_CallOneArg(self->usual_write, text);
    if (PyUnicode_IS_COMPACT_ASCII(text)) {
        bytes = PyUnicode_DATA(text);
        size = PyUnicode_GET_LENGTH(text);
    } else if ((encoded = PyUnicode_AsUTF8String(text)) != NULL) {
        bytes = PyBytes_AS_STRING(encoded);
        size = PyBytes_GET_SIZE(encoded);
    } else {
        /* Half of a surrogate pair: the stream's own error handler decides. */
        PyErr_Clear();
        return PyObject_CallOneArg(self->usual_write, text);
    }
    int error = emit(self, bytes, (size_t)size);
    if (error == 0 && self->by_line && memchr(bytes, '\n', (size_t)size) != NULL)
        error = flush(self->stream);
    Py_XDECREF(encoded);
    return error == 0 ? PyLong_FromSsize_t(PyUnicode_GET_LENGTH(text)) : failed(error);
}

static PyObject *output_put(struct output *self, PyObject *bytes) {
    Py_buffer view;
    if (!self->open || PyUnicode_Check(bytes)) return PyObject_CallOneArg(self->usual_put, bytes);
    if (PyObject_GetBuffer(bytes, &view, PyBUF_SIMPLE) != 0) return NULL;
    int error = emit(self, view.buf, (size_t)view.len);
    PyObject *size = error == 0 ? PyLong_FromSsize_t(view.len) : failed(error);
    PyBuffer_Release(&view);
    return size;
}

static PyObject *output_flush(struct output *self, PyObject *Py_UNUSED(none)) {
    int error = flush(self->stream);
    if (error != 0) return failed(error);
    if (!self->open) return PyObject_CallNoArgs(self->usual_flush);
    Py_RETURN_NONE;
}

static int output_init(struct output *self, PyObject *args, PyObject *Py_UNUSED(names)) {
    if (!PyArg_ParseTuple(args, "iOOO", &self->stream, &self->usual_write, &self->usual_put,
                          &self->usual_flush))
        return -1;
    Py_INCREF(self->usual_write);
    Py_INCREF(self->usual_put);
    Py_INCREF(self->usual_flush);
    self->open = 1;
    return 0;
}

static PyMethodDef output_methods[] = {
    {"write", (PyCFunction)output_write, METH_O, "Of the text stream."},
    {"put", (PyCFunction)output_put, METH_O, "Of the stream of bytes: its write."},
    {"flush", (PyCFunction)output_flush, METH_NOARGS, "Of either."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef output_members[] = {
    {"open", Py_T_BOOL, offsetof(struct output, open), 0, NULL},
    {"fast", Py_T_BOOL, offsetof(struct output, fast), 0, NULL},
    {"by_line", Py_T_BOOL, offsetof(struct output, by_line), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

/* One a stream, for as long as the process lives: nothing is ever freed. */
static PyTypeObject output_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_voidrunner_streams.Output",
    .tp_basicsize = sizeof(struct output),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = PyType_GenericNew,
    .tp_init = (initproc)output_init,
    .tp_methods = output_methods,
    .tp_members = output_members,
};

static PyObject *call_flushed(PyObject *function, PyObject *const *args, Py_ssize_t count,
                              PyObject *names) {
    flush_all();
    return PyObject_Vectorcall(function, args, (size_t)count, names);
}

/* The same function, which finds written what was printed before it. */
static PyObject *flush_before(PyObject *Py_UNUSED(module), PyObject *function) {
    PyObject *name = PyObject_GetAttrString(function, "__name__");
    if (name == NULL) return NULL;
    PyMethodDef *definition = calloc(1, sizeof *definition);
    const char *text = PyUnicode_AsUTF8(name); /* lives as long as the name does: it is not freed */
    if (definition == NULL || text == NULL) return PyErr_NoMemory();
    *definition = (PyMethodDef){text, (PyCFunction)(void (*)(void))call_flushed,
                                METH_FASTCALL | METH_KEYWORDS, NULL};
    return PyCFunction_NewEx(definition, function, NULL);
}

/* What starts another program, or may end this one: neither runs any method of a stream. */
static int on_event(const char *event, PyObject *Py_UNUSED(args), void *Py_UNUSED(data)) {
    static const char *const events[] = {"os.exec", "os.kill", "os.killpg", "os.posix_spawn",
                                         "os.system", "signal.pthread_kill", "subprocess.Popen"};
    if (event[0] != 'o' && event[0] != 's') return 0;
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        if (strcmp(event, events[i]) != 0) continue;
        flush_all();
        break;
    }
    return 0;
}

static PyMethodDef functions[] = {
    {"flush_before", flush_before, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_voidrunner_streams",
    .m_size = -1,
    .m_methods = functions,
};

PyMODINIT_FUNC PyInit__voidrunner_streams(void) {
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL || PyType_Ready(&output_type) != 0) return NULL;
    if (PyModule_AddObjectRef(module, "Output", (PyObject *)&output_type) != 0) return NULL;
    if (PySys_AddAuditHook(on_event, NULL) != 0) return NULL;
    buffer_install();
    return module;
}
