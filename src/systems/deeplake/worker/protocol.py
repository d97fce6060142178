"""Typed JSON lines over stdio: requests come in on one stream, progress, results and errors go out on the other."""

import json
import os
import sys


class WorkerError(Exception):
    """Something that the caller can act on. Its text is safe to show: no values of records, no secrets."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code
        self.message = message


class Lines:
    """Takes the process's stdout for itself: what libraries print goes to stderr and cannot break a line."""

    def __init__(self):
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
        os.dup2(2, 1)

    def read(self):
        """Yields each line as an object; ends with the stream."""
        for line in sys.stdin.buffer:
            if line.strip():
                yield json.loads(line)

    def write(self, value):
        self._out.write(json.dumps(value, separators=(",", ":"), allow_nan=False) + "\n")
        self._out.flush()


def take(params, name, kind, default=...):
    """A parameter of this type; a default makes it optional. bool is no int."""
    value = params.get(name, default)
    if value is ...:
        raise WorkerError("wrong-use", f"the parameter {name} is missing")
    if value is default and default is not ...:
        return value
    fits = isinstance(value, kind) and not (isinstance(value, bool) and kind is int)
    if not fits:
        raise WorkerError("wrong-use", f"the parameter {name} is of the wrong type")
    return value
