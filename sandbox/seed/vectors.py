"""Writes datasets of vectors for the seed: the setting is the first line of stdin, then a dataset with its rows a line."""

import json
import os
import shutil
import sys
import time
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../src/systems/deeplake/worker"))

import deeplake
import numpy as np
from deeplake import types
from embedding_client import Busy, EmbeddingClient


def main():
    setting = json.loads(sys.stdin.readline())
    endpoint = setting["endpoint"]
    client = EmbeddingClient(endpoint, setting["model"], setting["dimension"]) if endpoint else None
    for line in sys.stdin:
        wanted = json.loads(line)
        path = os.path.join(setting["root"], wanted["dataset"])
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write(path, wanted["rows"], setting, client)
        print(json.dumps({"dataset": wanted["dataset"], "vectors": len(wanted["rows"])}), flush=True)


def write(path, rows, setting, client):
    dataset = deeplake.create(path)
    for name in ("id", "document_id", "chunk_id", "content", "model"):
        dataset.add_column(name, types.Text())
    dataset.add_column("embedding", types.Embedding(setting["dimension"]))
    dataset.add_column("metadata", types.Dict())
    vectors = []
    for start in range(0, len(rows), 64):
        texts = [row["content"] for row in rows[start : start + 64]]
        vectors.extend(embedded(client, texts) if client else [made_up(text, setting["dimension"]) for text in texts])
    if rows:
        columns = {name: [row[name] for row in rows] for name in ("id", "document_id", "chunk_id", "content", "metadata")}
        dataset.append({**columns, "embedding": vectors, "model": [setting["model"]] * len(rows)})
    dataset.commit("by the seed")


def embedded(client, texts):
    while True:
        try:
            return list(client.embed(texts))
        except Busy as busy:
            time.sleep(busy.wait_ms / 1000)


def made_up(text, dimension):
    """Texts that share words are near each other; for a sandbox without the endpoint."""
    total = np.zeros(dimension, np.float32)
    for word in text.lower().split():
        total += np.random.default_rng(zlib.crc32(word.encode())).standard_normal(dimension).astype(np.float32)
    return total / max(float(np.linalg.norm(total)), 1e-9)


if __name__ == "__main__":
    main()
