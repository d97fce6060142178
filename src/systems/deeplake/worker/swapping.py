"""Two datasets change places in one step of the file system: there is no moment without a dataset under the name."""

import contextlib
import ctypes
import errno
import json
import os
import platform
import shutil

from datasets import LOG, exclusive, files_of
from place import CONTROL, sync_folder, write_whole
from protocol import WorkerError, take

_EXCHANGE = 2
_HERE = -100
_CALL = {"x86_64": 316, "aarch64": 276}


def operations(place):
    def identify(params, _progress):
        """The folders' own numbers, which stay with them when they are renamed; null = there is none."""
        only_folders(place)
        return {"folders": [number_of(place, name) for name in take(params, "names", list)]}

    def swap(params, _progress):
        only_folders(place)
        name, other, final = (take(params, key, str) for key in ("dataset", "other", "final"))
        with exclusive(place, name):
            return swap_folders(place, name, other, final, take(params, "old", str), take(params, "new", str))

    def remove(params, _progress):
        name = take(params, "dataset", str)
        with exclusive(place, name):
            remove_dataset(place, name)
        return {}

    def release(params, _progress):
        """What a swap kept aside goes for good, and with it what the dataset under the name had of it."""
        name, aside = take(params, "dataset", str), take(params, "aside", str)
        with exclusive(place, name):
            known = _read_lent(_lent(place, name))
            if known is not None and known["from"] == number_of(place, aside):
                take_back(place, name)
            remove_dataset(place, aside)
        return {}

    return {"identify": identify, "swap": swap, "release": release, "remove": remove}


def only_folders(place):
    if place.is_bucket:
        raise WorkerError(
            "unsupported",
            "a bucket knows no rename, so that readers would meet a mixture of two datasets under one name; "
            "point the service to the new name instead",
        )


def number_of(place, name):
    try:
        found = os.stat(place.path(name))
    except FileNotFoundError:
        return None
    return f"{found.st_dev}:{found.st_ino}"


def swap_folders(place, name, other, final, old, new):
    """Brings `new` under the name and `old` under `final`. Done again it finds what is done; by others' doing it refuses."""
    if number_of(place, name) == old and number_of(place, other) == new:
        take_back(place, name)
        lend(place, name, other)
        exchange(place.path(name), place.path(other))
    if number_of(place, name) != new:
        raise WorkerError("conflict", f"under {name} lies neither the old dataset nor the new one")
    if number_of(place, final) == old:
        return {}
    if number_of(place, other) != old or number_of(place, final) is not None:
        raise WorkerError("conflict", f"the old version of {name} is not where it was left")
    target = place.path(final)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    os.rename(place.path(other), target)
    sync_folder(os.path.dirname(target))
    return {}


def lend(place, source, target):
    """
    Links the source's files into the target, under names that are free there, and writes down which. DeepLake's files have
    names of their own and are found by them: who has opened the source, or is about to, reads on after the exchange.
    """
    lender, record = number_of(place, source), _lent(place, target)
    known = _read_lent(record)
    if known is not None and known["from"] != lender:
        take_back(place, target)
        known = None
    if known is None:
        there = {file for file, _ in files_of(place, target)}
        free = [file for file, _ in files_of(place, source) if file not in there and not file.endswith(".lock")]
        known = {"from": lender, "files": sorted(free)}
        # First the list: only what stands on it is ever taken back.
        write_whole(record, json.dumps(known).encode())
    for file in known["files"]:
        path = os.path.join(place.path(target), file)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        try:
            os.link(os.path.join(place.path(source), file), path)
        except (FileExistsError, FileNotFoundError):
            continue
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
                raise
            return


def take_back(place, name):
    """Takes out of a dataset's folder what was lent to it."""
    record = _lent(place, name)
    known = _read_lent(record)
    if known is None:
        return
    for file in known["files"]:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(place.path(name), file))
    os.unlink(record)


def lent_to(place, name):
    """The files in a dataset's folder that are another dataset's."""
    known = None if place.is_bucket else _read_lent(_lent(place, name))
    return set(known["files"]) if known else set()


def _lent(place, name):
    return os.path.join(place.path(CONTROL), "lent", str(number_of(place, name)).replace(":", "-"))


def _read_lent(record):
    try:
        with open(record, "rb") as file:
            return json.loads(file.read())
    except FileNotFoundError:
        return None


def exchange(one, two):
    library = ctypes.CDLL(None, use_errno=True)
    call = getattr(library, "renameat2", None)
    if call is not None:
        failed = call(_HERE, os.fsencode(one), _HERE, os.fsencode(two), _EXCHANGE)
    elif platform.system() == "Linux" and platform.machine() in _CALL:
        failed = library.syscall(_CALL[platform.machine()], _HERE, os.fsencode(one), _HERE, os.fsencode(two), _EXCHANGE)
    else:
        raise WorkerError("unsupported", "this system cannot exchange two folders in one step")
    if failed:
        number = ctypes.get_errno()
        if number in (errno.EINVAL, errno.ENOSYS, errno.EXDEV):
            raise WorkerError("unsupported", "this volume cannot exchange two folders in one step")
        raise OSError(number, os.strerror(number))
    for path in {os.path.dirname(one), os.path.dirname(two)}:
        sync_folder(path)


def remove_dataset(place, name):
    """Out of sight in one step, then away. In a bucket the log goes first: a rest of it is no dataset."""
    if place.is_bucket:
        from s3 import Bucket

        bucket, prefix = Bucket(place), place.key(name) + "/"
        keys = [key for key, _, _ in bucket.list(prefix)]
        for key in sorted(keys, key=lambda key: not key.startswith(f"{prefix}{LOG}/")):
            bucket.request("DELETE", key, allow=(404,))
        return
    number = number_of(place, name)
    if number is None:
        return
    trash = os.path.join(place.path(CONTROL), "trash")
    os.makedirs(trash, exist_ok=True)
    gone = os.path.join(trash, number.replace(":", "-"))
    shutil.rmtree(gone, ignore_errors=True)
    os.rename(place.path(name), gone)
    shutil.rmtree(gone, ignore_errors=True)
