"""Writes and reads datasets of vectors as the platform does, with DeepLake itself. A request a line, an answer a line."""

import json
import sys
import zlib

import deeplake
import numpy as np
from deeplake import types


def made_up(text, dimension):
    """The same for the same text; has no meaning."""
    return np.random.default_rng(zlib.crc32(text.encode())).standard_normal(dimension).astype(np.float32)


def columns_of(rows):
    return {
        "id": [row["id"] for row in rows],
        "document_id": [row.get("document_id", "d") for row in rows],
        "chunk_id": [row["id"] for row in rows],
        "embedding": [made_up(row["content"], row["dimension"]) for row in rows],
        "content": [row["content"] for row in rows],
        "model": [row["model"] for row in rows],
        "metadata": [{"tenant_id": "tenant_1", "user_id": None, "pages": [1, 2], "score": 0.5} for _ in rows],
    }


def create(path, rows, dimension):
    dataset = deeplake.create(path)
    embedding = types.Embedding(dimension) if dimension else types.Array("float32", 1)
    text = types.Text()
    for name, kind in {"id": text, "document_id": text, "chunk_id": text, "embedding": embedding, "content": text}.items():
        dataset.add_column(name, kind)
    dataset.add_column("model", text)
    dataset.add_column("metadata", types.Dict())
    if rows:
        dataset.append(columns_of(rows))
    dataset.commit("by the application")


def append(path, rows):
    dataset = deeplake.open(path)
    dataset.append(columns_of(rows))
    dataset.commit("by the application")


def update(path, id, content):
    dataset = deeplake.open(path)
    dataset["content"][list(dataset["id"][:]).index(id)] = content
    dataset.commit("by the application")


def delete(path, id):
    dataset = deeplake.open(path)
    dataset.delete(list(dataset["id"][:]).index(id))
    dataset.commit("by the application")


def read(path):
    try:
        dataset = deeplake.open_read_only(path)
    except deeplake.LogNotexistsError:
        return None
    shape = dataset.schema["embedding"].dtype.shape
    cells = zip(dataset["id"][:], dataset["content"][:], dataset["model"][:], dataset["embedding"][:], dataset["metadata"][:])
    rows = [
        {"id": one, "content": content, "model": model, "dimension": len(vector), "sum": float(np.sum(vector)), "metadata": str(meta)}
        for one, content, model, vector, meta in cells
    ]
    return {"dimension": shape[0] if 0 < shape[0] < 2**31 else None, "rows": sorted(rows, key=lambda row: row["id"])}


def columns(path):
    return sorted(column.name for column in deeplake.open_read_only(path).schema.columns)


def nearest(path, vector):
    """The content of the row that is most like it."""
    dataset = deeplake.open_read_only(path)
    vectors = np.stack(list(dataset["embedding"][:]))
    likeness = vectors @ np.asarray(vector, np.float32) / np.linalg.norm(vectors, axis=1)
    return dataset["content"][int(np.argmax(likeness))]


operations = {one.__name__: one for one in (create, append, update, delete, read, columns, nearest)}
for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps(operations[request["op"]](**request["params"])), flush=True)
