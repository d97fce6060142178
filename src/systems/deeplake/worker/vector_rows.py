"""Reads and writes the rows of vector datasets: which there are, what they hold, what differs between two of them."""

import hashlib
import json
import os

import datasets
import deeplake
from protocol import WorkerError
from rows import as_json

NEEDED = ("id", "embedding", "content", "model")
MARK = "tas"
# Commits of ours begin with it: a dataset with no others holds nothing that users wrote.
OURS = "tas vectors "


def exists(place, name):
    if not place.is_bucket:
        return os.path.isdir(os.path.join(place.path(name), datasets.LOG))
    return bool(deeplake.exists(place.url(name), creds=place.creds))


def open_vectors(place, name, write=False):
    if not exists(place, name):
        raise WorkerError("missing", f"there is no dataset {name}")
    dataset = datasets.open_dataset(place, name, write)
    columns = {column.name for column in dataset.schema.columns}
    lacking = [column for column in NEEDED if column not in columns]
    if lacking:
        raise WorkerError("wrong-use", f"the dataset {name} has no column {', '.join(lacking)}")
    return dataset


def dimension_of(dataset):
    """The dimension of the column; None where every row may have its own."""
    shape = dataset.schema["embedding"].dtype.shape
    size = shape[0] if len(shape) == 1 else None
    # A size that is left open is told as the largest number there is.
    return int(size) if size and size < 2**31 else None


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


def read_rows(dataset, start, end):
    """Rows without their vectors, as dicts with the values as DeepLake gives them."""
    columns = [column.name for column in dataset.schema.columns if column.name != "embedding"]
    cells = {name: dataset[name][start:end] for name in columns}
    return [{name: cells[name][at] for name in columns} for at in range(end - start)]


def digest_of(row):
    """Of all that a row says but its vector and the vector's model."""
    told = {name: as_json(value) for name, value in row.items() if name not in ("model", "embedding")}
    text = json.dumps(told, sort_keys=True, ensure_ascii=False)
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
