"""What users of the datasets do, with DeepLake itself: reads a JSON list of deeds from stdin, prints their answers as JSON."""

import json
import os
import sys

import deeplake
import numpy

types = deeplake.types


def vectors(ids, dimension, tenant, model="text-embedding-ada-002"):
    return {
        "id": list(ids),
        "document_id": [f"d-{one}" for one in ids],
        "chunk_id": [f"c-{one}" for one in ids],
        "embedding": numpy.stack([vector(one, dimension) for one in ids]),
        "content": [f"text of {one}" for one in ids],
        "model": [model] * len(ids),
        "metadata": [{"tenant_id": tenant, "space_id": "space_1", "user_id": f"u-{one}"} for one in ids],
    }


def vector(one, dimension):
    return numpy.random.default_rng(abs(hash_of(one))).random(dimension, numpy.float32)


def hash_of(text):
    return int.from_bytes(text.encode()[-8:], "big")


def opened(deed):
    creds = deed.get("creds")
    return deeplake.open(deed["path"], **({"creds": creds} if creds else {}))


def create(deed):
    creds = deed.get("creds")
    schema = {
        "id": types.Text(),
        "document_id": types.Text(),
        "chunk_id": types.Text(),
        "embedding": types.Embedding(deed["dimension"]),
        "content": types.Text(),
        "model": types.Text(),
        "metadata": types.Dict(),
    }
    dataset = deeplake.create(deed["path"], schema=schema, **({"creds": creds} if creds else {}))
    dataset.append(vectors(deed["ids"], deed["dimension"], deed["tenant"]))
    dataset.commit("as it was")


def append(deed):
    dataset = opened(deed)
    size = dataset.schema["embedding"].dtype.shape[0]
    dataset.append({**vectors(deed["ids"], size, deed.get("tenant", "tenant_1")), **deed.get("more", {})})
    dataset.commit("a user added")


def change(deed):
    dataset = opened(deed)
    dataset[deed["column"]][dataset["id"][:].index(deed["id"])] = deed["value"]
    dataset.commit("a user changed")


def delete(deed):
    dataset = opened(deed)
    dataset.delete(dataset["id"][:].index(deed["id"]))
    dataset.commit("a user deleted")


def read(deed):
    dataset = opened(deed)
    return dict(zip(dataset["id"][:], (str(value) for value in dataset[deed["column"]][:])))


def columns(deed):
    dataset = opened(deed)
    return [column.name for column in dataset.schema.columns]


def messages(deed):
    dataset = opened(deed)
    return [version.message for version in dataset.history]


def watch(deed):
    """Opens the dataset again and again until the file is there; how often it was there, and was not."""
    there, missed, counts = 0, [], set()
    print("watching", file=sys.stderr, flush=True)
    while not os.path.exists(deed["until"]):
        try:
            dataset = deeplake.open_read_only(deed["path"])
            counts.add(len(dataset["id"][:]))
            there += 1
        except Exception as error:
            missed.append(type(error).__name__)
    return {"there": there, "missed": missed, "counts": sorted(counts)}


if __name__ == "__main__":
    answers = [globals()[deed["do"]](deed) for deed in json.load(sys.stdin)]
    print(json.dumps(answers))
