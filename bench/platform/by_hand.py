"""What people write by hand for datasets of vectors: `make`, `copy` and `embed`, with DeepLake itself and nothing else."""

import json
import os
import shutil
import sys
import urllib.request

import deeplake
import numpy

types = deeplake.types
OLD, NEW = "text-embedding-ada-002", "text-embedding-3-large"
WORDS = "tenant space document notebook vector chunk graph object event session report draft table figure".split()


def schema(dimension):
    return {
        "id": types.Text(),
        "document_id": types.Text(),
        "chunk_id": types.Text(),
        "embedding": types.Embedding(dimension),
        "content": types.Text(),
        "model": types.Text(),
        "metadata": types.Dict(),
    }


def make(path, count, first):
    shutil.rmtree(path, ignore_errors=True)
    dataset = deeplake.create(path, schema=schema(1536))
    random = numpy.random.default_rng(7)
    for start in range(0, count, 1000):
        numbers = range(first + start, first + min(start + 1000, count))
        dataset.append(
            {
                "id": [f"v-{n:08}" for n in numbers],
                "document_id": [f"d-{n // 10}" for n in numbers],
                "chunk_id": [f"c-{n}" for n in numbers],
                "embedding": random.random((len(numbers), 1536), numpy.float32),
                "content": [" ".join(WORDS[(n * k) % len(WORDS)] for k in range(1, 25)) + f" {n}" for n in numbers],
                "model": [OLD] * len(numbers),
                "metadata": [{"tenant_id": "tenant_1", "space_id": "space_1", "user_id": f"u-{n % 9}"} for n in numbers],
            }
        )
    dataset.commit("made")


def columns(dataset, start, end):
    return {column.name: dataset[column.name][start:end] for column in dataset.schema.columns}


def copy(path, target):
    source, made = deeplake.open(path), deeplake.create(target, schema=schema(1536))
    for start in range(0, len(source), 1000):
        made.append(columns(source, start, min(start + 1000, len(source))))
    made.commit("copied")


def embed(path, target, url, batch):
    source, made = deeplake.open(path), deeplake.create(target, schema=schema(3072))
    for start in range(0, len(source), batch):
        rows = columns(source, start, min(start + batch, len(source)))
        texts = list(rows["content"])
        request = urllib.request.Request(
            f"{url}/embeddings",
            json.dumps({"model": NEW, "input": texts}).encode(),
            {"authorization": f"Bearer {os.environ['API_KEY']}", "content-type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            vectors = [one["embedding"] for one in json.load(answer)["data"]]
        made.append({**rows, "embedding": numpy.array(vectors, numpy.float32), "model": [NEW] * len(texts)})
    made.commit("embedded")


def count(path):
    dataset = deeplake.open(path)
    print(json.dumps({"count": len(dataset), "dimension": dataset.schema["embedding"].dtype.shape[0]}))


deed, *given = sys.argv[1:]
if deed == "make":
    make(given[0], int(given[1]), int(given[2]))
elif deed == "copy":
    copy(given[0], given[1])
elif deed == "embed":
    embed(given[0], given[1], given[2], int(given[3]))
else:
    count(given[0])
# The library's threads may abort an orderly end of the interpreter.
sys.stdout.flush()
os._exit(0)
