"""Opens, lists and describes datasets; says which one is missing, locked or corrupt."""

import contextlib
import fcntl
import hashlib
import os
import re
import time

import deeplake

from place import CONTROL
from protocol import WorkerError, take
from s3 import Bucket

LOG = "_deeplake_log"
_DEPTH = 6
_LOCK_SECONDS = 5


def operations(place):
    def list_datasets(params, _progress):
        return {"datasets": matching(place, take(params, "glob", str))}

    def describe_dataset(params, _progress):
        return describe(place, take(params, "dataset", str))

    def history(params, _progress):
        dataset = open_dataset(place, take(params, "dataset", str), writable=False)
        return {"commits": [{"id": v.id, "message": v.message} for v in dataset.history]}

    return {"list": list_datasets, "describe": describe_dataset, "history": history}


def open_dataset(place, name, writable=True):
    """Throws `missing` or `corrupt`, with the dataset's name. (A damaged log opens as a dataset without columns.)"""
    url, creds = place.url(name), place.creds
    attempt = deeplake.open if writable else deeplake.open_read_only
    with naming(name):
        try:
            dataset = attempt(url, creds=creds) if creds is not None else attempt(url)
        except MemoryError as error:
            # A damaged log asks for absurd amounts; opening a sound one needs little.
            raise WorkerError("corrupt", f"{name} is corrupt: its log cannot be read") from error
        if not any(column.name == "id" for column in dataset.schema.columns):
            raise WorkerError("corrupt", f"{name} is corrupt or no dataset of vectors: it has no column id")
        return dataset


@contextlib.contextmanager
def naming(name):
    """DeepLake's errors, by the dataset that they are about. Their own text may hold values and is left out."""
    try:
        yield
    except (deeplake.LogNotexistsError, deeplake.NotFoundError) as error:
        raise WorkerError("missing", f"there is no dataset {name}") from error
    except deeplake.StorageAccessDenied as error:
        raise WorkerError("missing-rights", f"{name} may not be read or written") from error
    except deeplake.StorageNetworkConnectionError as error:
        raise WorkerError("unreachable", "the bucket's server does not answer") from error
    except PermissionError as error:
        raise WorkerError("missing-rights", f"{name} may not be read or written") from error
    except (KeyError, deeplake.StorageKeyNotFound, deeplake.StorageInternalError) as error:
        raise WorkerError("corrupt", f"{name} is corrupt: a part of it is missing") from error


def matching(place, pattern):
    """Names of datasets, in order. `*` stands for anything but `/`."""
    test = re.compile("/".join("[^/]*".join(map(re.escape, part.split("*"))) for part in pattern.split("/")) + r"\Z")
    found = _in_bucket(place) if place.is_bucket else _in_folder(place)
    return sorted(name for name in found if test.match(name))


def _in_folder(place):
    if not os.path.isdir(place.root):
        raise WorkerError("missing", "the folder of the datasets is not there")
    if not os.access(place.root, os.R_OK | os.X_OK):
        raise WorkerError("missing-rights", "the folder of the datasets may not be read")
    for folder, children, _ in os.walk(place.root):
        name = os.path.relpath(folder, place.root)
        if LOG in children and name != ".":
            yield name
            children.clear()
        elif name == ".":
            children[:] = [child for child in children if child != CONTROL]
        elif name.count("/") >= _DEPTH:
            children.clear()


def _in_bucket(place):
    bucket = Bucket(place)

    def below(prefix, depth):
        children = [key for key, size, _ in bucket.list(prefix, "/") if size is None]
        if f"{prefix}{LOG}/" in children:
            yield prefix[len(top) : -1]
        elif depth < _DEPTH:
            for child in children:
                if child != f"{top}{CONTROL}/":
                    yield from below(child, depth + 1)

    top = f"{place.prefix}/" if place.prefix else ""
    yield from below(top, 0)


def dimension_of(dataset):
    """Of the column `embedding`; None where there is none."""
    for column in dataset.schema.columns:
        if column.name == "embedding":
            return next((int(size) for size in column.dtype.shape or [] if size), None)
    return None


def describe(place, name):
    dataset = open_dataset(place, name, writable=False)
    return {
        "dataset": name,
        "version": dataset.version,
        "message": list(dataset.history)[-1].message,
        "count": len(dataset),
        "dimension": dimension_of(dataset),
        "columns": [{"name": column.name, "type": str(column.dtype)} for column in dataset.schema.columns],
        "bytes": sum(size for _, size in files_of(place, name)),
    }


def files_of(place, name):
    """(path relative to the dataset, bytes) of each of its files."""
    if place.is_bucket:
        prefix = place.key(name) + "/"
        for key, size, _ in Bucket(place).list(prefix):
            yield key[len(prefix) :], size
        return
    top = place.path(name)
    for folder, _, files in os.walk(top):
        for file in files:
            path = os.path.join(folder, file)
            with contextlib.suppress(FileNotFoundError):
                yield os.path.relpath(path, top), os.path.getsize(path)


@contextlib.contextmanager
def exclusive(place, name):
    """One process of the bot at a time changes a dataset; refuses one whose DeepLake locks somebody holds."""
    if place.is_bucket:
        yield
        return
    folder = os.path.join(place.path(CONTROL), "locks")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    with open(os.path.join(folder, hashlib.sha256(name.encode()).hexdigest()), "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        await_unlocked(place, name)
        yield


def await_unlocked(place, name):
    """DeepLake would wait for its locks for ever."""
    deadline = time.monotonic() + _LOCK_SECONDS
    while any(_is_held(os.path.join(place.path(name), file)) for file, _ in files_of(place, name) if file.endswith(".lock")):
        if time.monotonic() > deadline:
            raise WorkerError("locked", f"{name} is locked by another process")
        time.sleep(0.1)


def _is_held(path):
    try:
        with open(path, "r+") as file:
            for lock in (fcntl.flock, fcntl.lockf):
                lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                lock(file, fcntl.LOCK_UN)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False
