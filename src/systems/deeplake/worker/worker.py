"""Answers requests about DeepLake datasets, one after the other. See README.md for the protocol."""

import gc
import os
import platform
import sys
import traceback

from protocol import Lines, WorkerError


def main():
    lines = Lines()
    requests = lines.read()
    try:
        setting = next(requests)
    except StopIteration:
        return
    try:
        operations = prepare(setting)
    except WorkerError as error:
        lines.write({"refused": {"code": error.code, "message": error.message}})
        return
    import deeplake

    lines.write({"ready": {"protocol": 1, "deeplake": deeplake.__version__, "python": platform.python_version()}})
    for request in requests:
        lines.write({"id": request["id"], **answer(lines, operations, request)})
        gc.collect()


def prepare(setting):
    """Limits the process's memory, then loads what the operations need."""
    # Without these, libraries start a thread a core and keep what they once held.
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    limit_memory(setting.get("memoryBytes"))
    try:
        import registry
    except ImportError as error:
        raise WorkerError("not-installed", f"this Python has no {error.name}") from error
    return registry.operations(setting)


def limit_memory(most):
    if most is None:
        return
    import resource

    if hasattr(resource, "RLIMIT_DATA"):
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def answer(lines, operations, request):
    """The result or the error of one request; an unexpected error tells its kind and place, never its text."""

    def progress(done, total=None):
        lines.write({"id": request["id"], "progress": {"done": done, "total": total}})

    try:
        operation = operations.get(request["op"])
        if operation is None:
            raise WorkerError("wrong-use", f"there is no operation {request['op']}")
        return {"result": operation(request.get("params", {}), progress)}
    except WorkerError as error:
        return {"error": {"code": error.code, "message": error.message}}
    except MemoryError:
        return {"error": {"code": "memory", "message": "it needs more memory than the worker may take"}}
    except Exception as error:
        code = "disk-full" if isinstance(error, OSError) and error.errno in (28, 122) else "bug"
        frames = traceback.extract_tb(error.__traceback__)
        at = " < ".join(f"{os.path.basename(frame.filename)}:{frame.lineno}" for frame in reversed(frames))
        return {"error": {"code": code, "message": f"{type(error).__name__} in {request['op']} ({at})"}}


if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    main()
