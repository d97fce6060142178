"""Reads and writes the rows of vector datasets: which there are, what they hold, what differs between two of them."""

import contextlib
import fcntl
import fnmatch
import hashlib
import json
import os

import deeplake
import numpy as np
from place import CONTROL
from protocol import WorkerError

NEEDED = ("id", "embedding", "content", "model")
MARK = "tas"
# Commits of ours begin with it: a dataset with no others holds nothing that users wrote.
OURS = "tas vectors "
_LOG = "_deeplake_log"


def names(place, pattern):
    """Datasets whose name fits the pattern, in order. `*` does not go beyond a `/`."""
    return sorted(name for name in _all_names(place, pattern) if _fits(name, pattern))


def _fits(name, pattern):
    parts, wanted = name.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(fnmatch.fnmatchcase(part, want) for part, want in zip(parts, wanted))


def _all_names(place, pattern):
    if place.is_bucket:
        yield from _names_in_bucket(place, pattern)
        return
    for folder, folders, _ in os.walk(place.root):
        if _LOG in folders:
            yield os.path.relpath(folder, place.root)
            folders.clear()
        folders[:] = [name for name in folders if name != CONTROL]


def _names_in_bucket(place, pattern):
    from s3 import Bucket

    bucket = Bucket(place)
    level = [""]
    for _ in pattern.split("/"):
        prefixes = []
        for name in level:
            prefix = "/".join(part for part in (place.prefix, name) if part)
            for key, size, _ in bucket.list(f"{prefix}/" if prefix else "", "/"):
                if size is None:
                    found = key.rstrip("/")
                    prefixes.append(found[len(place.prefix) + 1 :] if place.prefix else found)
        level = [name for name in prefixes if not name.startswith(CONTROL)]
    yield from (name for name in level if exists(place, name))


def exists(place, name):
    if not place.is_bucket:
        return os.path.isdir(os.path.join(place.path(name), _LOG))
    return bool(deeplake.exists(place.url(name), creds=place.creds))


def open_dataset(place, name, write=False):
    if not exists(place, name):
        raise WorkerError("missing", f"there is no dataset {name}")
    opener = deeplake.open if write else deeplake.open_read_only
    try:
        dataset = opener(place.url(name), creds=place.creds)
    except MemoryError:
        raise
    except Exception as error:
        raise WorkerError("corrupt", f"the dataset {name} cannot be opened") from error
    columns = {column.name for column in dataset.schema.columns}
    lacking = [name for name in NEEDED if name not in columns]
    if lacking and columns:
        raise WorkerError("wrong-use", f"the dataset {name} has no column {', '.join(lacking)}")
    return dataset


def dimension_of(dataset):
    """The dimension of the column; None where every row may have its own."""
    shape = dataset.schema["embedding"].dtype.shape
    size = shape[0] if len(shape) == 1 else None
    return int(size) if size else None


def row_sizes(dataset, start, end):
    """The dimensions of the rows' vectors."""
    fixed = dimension_of(dataset)
    if fixed is not None:
        return [fixed] * (end - start)
    return [len(vector) for vector in dataset["embedding"][start:end]]


def is_ours(dataset):
    """True where only we have written to it."""
    return all(entry.message.startswith(OURS) or entry.message == "Dataset created" for entry in dataset.history)


def create_like(place, name, source, dimension, mark):
    """A dataset with the source's columns and this dimension (None = the source's own type of column), empty."""
    dataset = deeplake.create(place.url(name), creds=place.creds)
    for column in source.schema.columns:
        if column.name == "embedding" and dimension is not None:
            dataset.add_column("embedding", deeplake.types.Embedding(dimension))
        else:
            dataset.add_column(column.name, column.dtype)
    dataset.metadata[MARK] = mark
    dataset.commit(f"{OURS}{mark['by']} begins")
    return dataset


def mark_of(dataset):
    """What the one who made it wrote down; None where that was not us."""
    found = dataset.metadata[MARK] if MARK in dataset.metadata.keys() else None
    return dict(found) if isinstance(found, dict) else None


def plain(value):
    """A cell as JSON knows it."""
    if hasattr(value, "to_dict"):
        value = value.to_dict()
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value


def read_rows(dataset, start, end):
    """Rows without their vectors, as dicts."""
    columns = [column.name for column in dataset.schema.columns if column.name != "embedding"]
    cells = {name: [plain(value) for value in dataset[name][start:end]] for name in columns}
    return [{name: cells[name][at] for name in columns} for at in range(end - start)]


def digest_of(row):
    """Of all that a row says but its vector and the vector's model."""
    told = {name: value for name, value in row.items() if name not in ("model", "embedding")}
    text = json.dumps(told, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).digest()


def index_of(dataset, progress=None):
    """Id → (place, digest), and the places of rows whose id came before."""
    found, doubled = {}, []
    for start in range(0, len(dataset), 1000):
        end = min(start + 1000, len(dataset))
        for at, row in enumerate(read_rows(dataset, start, end), start):
            if row["id"] in found:
                doubled.append(at)
            else:
                found[row["id"]] = (at, digest_of(row))
        if progress:
            progress(end, len(dataset))
    return found, doubled


def delete_rows(dataset, places):
    """From the last on, so that the others keep their places."""
    for place in sorted(places, reverse=True):
        dataset.delete(place)


@contextlib.contextmanager
def only_one(place, name):
    """One writer of ours for a dataset at a time, on one machine; the lock goes with its process."""
    if place.is_bucket:
        yield
        return
    folder = place.path(f"{CONTROL}/locks")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    path = os.path.join(folder, hashlib.sha256(name.encode()).hexdigest()[:32])
    with open(path, "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise WorkerError("locked", f"another process of the bot works on {name}") from error
        yield
