"""Names change hands: two datasets in one move, so that at no moment there is none under the name."""

import ctypes
import errno
import os
import shutil

import vector_rows as rows
from place import sync_folder
from protocol import WorkerError, take

_AT_FDCWD = -100
_NOREPLACE, _EXCHANGE = 1, 2


def operations(place):
    def exchange(params, _progress):
        """The two names change hands."""
        one, other = take(params, "one", str), take(params, "other", str)
        with rows.only_one(place, one), rows.only_one(place, other):
            for name in (one, other):
                rows.open_dataset(place, name)
            _rename(place, one, other, _EXCHANGE)
        return {}

    def move(params, _progress):
        """Another name, under which nothing may stand."""
        source, target = take(params, "from", str), take(params, "to", str)
        with rows.only_one(place, source):
            if not rows.exists(place, source):
                raise WorkerError("missing", f"there is no dataset {source}")
            os.makedirs(os.path.dirname(place.path(target)), exist_ok=True)
            _rename(place, source, target, _NOREPLACE)
        return {}

    def delete(params, _progress):
        """For good. Out of sight first, so that a crash leaves no half of it under its name."""
        name, aside = take(params, "name", str), take(params, "aside", str)
        if rows.exists(place, name):
            move({"from": name, "to": aside}, None)
        _folder_only(place)
        shutil.rmtree(place.path(aside), ignore_errors=True)
        return {}

    return {"dataset-exchange": exchange, "dataset-move": move, "dataset-delete": delete}


def _folder_only(place):
    if place.is_bucket:
        raise WorkerError("unsupported", "in a bucket no two datasets can change names at one moment")


def _rename(place, source, target, flag):
    _folder_only(place)
    old, new = place.path(source), place.path(target)
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        raise WorkerError("unsupported", "this system cannot exchange two names at one moment")
    if libc.renameat2(_AT_FDCWD, os.fsencode(old), _AT_FDCWD, os.fsencode(new), flag) != 0:
        code = ctypes.get_errno()
        if code in (errno.EEXIST, errno.ENOTEMPTY):
            raise WorkerError("exists", f"there is something under the name {target} already")
        if code in (errno.EINVAL, errno.ENOSYS):
            raise WorkerError("unsupported", "this file system cannot exchange two names at one moment")
        raise OSError(code, os.strerror(code))
    for folder in {os.path.dirname(old), os.path.dirname(new)}:
        sync_folder(folder)
