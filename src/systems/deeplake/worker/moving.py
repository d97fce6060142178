"""A dataset gets another name, under which nothing may stand."""

import ctypes
import errno
import os

from datasets import exclusive
from place import sync_folder
from protocol import WorkerError, take
from swapping import number_of, only_folders

_HERE = -100
_NOREPLACE = 1


def operations(place):
    def move(params, _progress):
        only_folders(place)
        source, target = take(params, "from", str), take(params, "to", str)
        with exclusive(place, source):
            if number_of(place, source) is None:
                raise WorkerError("missing", f"there is no dataset {source}")
            _rename(place.path(source), place.path(target), target)
        return {}

    return {"move": move}


def _rename(old, new, name):
    os.makedirs(os.path.dirname(new), exist_ok=True)
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        # A folder that is not empty is never replaced by a rename: it fails.
        _checked(lambda: os.rename(old, new), name)
    elif call(_HERE, os.fsencode(old), _HERE, os.fsencode(new), _NOREPLACE):
        number = ctypes.get_errno()
        _checked(lambda: _throw(number), name)
    for folder in {os.path.dirname(old), os.path.dirname(new)}:
        sync_folder(folder)


def _throw(number):
    raise OSError(number, os.strerror(number))


def _checked(work, name):
    try:
        work()
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
            raise WorkerError("exists", f"there is something under the name {name} already") from error
        raise
