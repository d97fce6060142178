"""What a dataset holds as one hash: the same whatever the order of its vectors and however it came to be."""

import hashlib
import json

import numpy

from datasets import dimension_of, naming, open_dataset
from protocol import take
from rows import CHUNK, as_json, column_values

_SPACE = 2**256


def operations(place):
    def fingerprint(params, progress):
        name = take(params, "dataset", str)
        dataset = open_dataset(place, name, writable=False)
        columns = sorted(column.name for column in dataset.schema.columns)
        total = 0
        for done, digest in enumerate(digests(dataset, name, columns), 1):
            total = (total + int.from_bytes(digest, "big")) % _SPACE
            if done % CHUNK == 0:
                progress(done, len(dataset))
        types = sorted([column.name, str(column.dtype)] for column in dataset.schema.columns)
        text = json.dumps([types, len(dataset), f"{total:064x}"])
        return {
            "count": len(dataset),
            "dimension": dimension_of(dataset),
            "version": dataset.version,
            "hash": hashlib.sha256(text.encode()).hexdigest(),
        }

    return {"fingerprint": fingerprint}


def digests(dataset, name, columns, mapped=None):
    """The SHA-256 of each vector's columns, by index. `mapped` makes other columns of what was read."""
    with naming(name):
        for start in range(0, len(dataset), CHUNK):
            indexes = range(start, min(start + CHUNK, len(dataset)))
            values = {column: column_values(dataset, column, indexes) for column in columns}
            values = mapped(values, len(indexes)) if mapped else values
            names = sorted(values)
            for at in range(len(indexes)):
                digest = hashlib.sha256()
                for column in names:
                    part = canonical(values[column][at])
                    digest.update(f"{column}:{len(part)}:".encode())
                    digest.update(part)
                yield digest.digest()


def canonical(value):
    if value is None:
        return b""
    if isinstance(value, str):
        return b"s" + value.encode("utf-8", "surrogatepass")
    if isinstance(value, numpy.ndarray):
        return f"a{value.dtype}{value.shape}".encode() + numpy.ascontiguousarray(value).tobytes()
    return b"j" + json.dumps(as_json(value), sort_keys=True, separators=(",", ":")).encode()
