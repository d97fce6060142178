"""Reads vectors in the order of their ids, and by keys. `metadata.x` and `embedding.length` are fields too."""

import base64
import json
import math
import re

import numpy

from datasets import naming, open_dataset
from protocol import WorkerError, take

#: Rows that are read at once, so that memory stays bounded (3072 floats each: 12 MB).
CHUNK = 1_000
_MOST_ROWS = 1_000


def operations(place):
    def rows(params, _progress):
        name, fields = take(params, "dataset", str), take(params, "fields", list)
        limit = min(take(params, "limit", int, 200), _MOST_ROWS)
        test = condition(take(params, "where", dict, None) or {}, name)
        dataset = open_dataset(place, name, writable=False)
        order = in_order(dataset, name)
        after = take(params, "after", str, None)
        rest = order if after is None else [pair for pair in order if pair[0] > after]
        found, last = [], None
        with naming(name):
            for pairs in chunks(rest, min(limit, CHUNK)):
                for (key, _), values in zip(pairs, read(dataset, [i for _, i in pairs], [*fields, *test.fields])):
                    last = key
                    if test(values):
                        found.append({"key": key, "values": {field: values[field] for field in fields}})
                    if len(found) == limit:
                        return {"rows": found, "next": last}
        return {"rows": found, "next": None}

    def lookup(params, _progress):
        name, by = take(params, "dataset", str), take(params, "by", str)
        fields, wanted = take(params, "fields", list), set(take(params, "keys", list))
        dataset = open_dataset(place, name, writable=False)
        found = {}
        with naming(name):
            for indexes in chunks(range(len(dataset)), CHUNK):
                values = [as_text(row[by]) for row in read(dataset, indexes, [by])]
                hits = {v: i for v, i in zip(values, indexes) if v in wanted and v not in found}
                for (key, _), row in zip(hits.items(), read(dataset, list(hits.values()), fields)):
                    found[key] = {field: row[field] for field in fields}
                if len(found) == len(wanted):
                    break
        return {"found": found}

    return {"rows": rows, "lookup": lookup}


def chunks(items, size):
    for start in range(0, len(items), size):
        yield items[start : start + size]


def in_order(dataset, name):
    """(id, index) in the order of ids by code point. Throws where an id is not unique."""
    with naming(name):
        order = sorted(zip(dataset["id"][:] if len(dataset) else [], range(len(dataset))))
    for (one, _), (two, _) in zip(order, order[1:]):
        if one == two:
            raise WorkerError("duplicates", f"{name} has an id more than once")
    return order


def column_values(dataset, name, indexes):
    """The column's raw values at these indexes, as DeepLake gives them."""
    if len(indexes) == 0:
        return []
    first, last = indexes[0], indexes[-1]
    if len(indexes) == last - first + 1 and all(b == a + 1 for a, b in zip(indexes, indexes[1:])):
        return dataset[name][first : last + 1]
    return dataset[name][list(indexes)]


def read(dataset, indexes, fields):
    """A dict of JSON values a row; a field that a row has not is None."""
    known = {column.name for column in dataset.schema.columns}
    wanted = {field.split(".")[0] for field in fields} & known
    columns = {name: column_values(dataset, name, indexes) for name in wanted}
    rows = []
    for at in range(len(indexes)):
        own = {name: values[at] for name, values in columns.items()}
        rows.append({field: field_of(own, field) for field in fields})
    return rows


def field_of(own, field):
    name, _, rest = field.partition(".")
    value = own.get(name)
    if rest == "length" and isinstance(value, numpy.ndarray):
        return len(value)
    value = as_json(value)
    for part in rest.split(".") if rest else []:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def as_json(value):
    """Any value of DeepLake; what JSON has not (NaN, bytes) goes as an object."""
    if value is None or isinstance(value, (str, bool, int, dict)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": str(value)}
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, numpy.generic):
        return as_json(value.item())
    if isinstance(value, numpy.ndarray):
        return as_json(value.tolist())
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    # DeepLake's own Dict prints itself as JSON.
    return json.loads(str(value))


def as_text(value):
    """How a value is compared with keys and patterns; None has no text."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def condition(where, name):
    """`{field: "pattern"}`: each pattern matches the whole value; null = the field is absent. `dataset` is its name."""
    tests = {field: pattern_of(text) for field, text in where.items()}

    def test(values):
        for field, pattern in tests.items():
            text = name if field == "dataset" else as_text(values[field])
            if (text is None) != (pattern is None) or (pattern is not None and not pattern.fullmatch(text)):
                return False
        return True

    test.fields = [field for field in tests if field != "dataset"]
    return test


def pattern_of(text):
    if text is None:
        return None
    if not isinstance(text, str):
        raise WorkerError("invalid-statement", "a pattern is a text or null")
    try:
        return re.compile(text, re.DOTALL)
    except re.error as error:
        raise WorkerError("invalid-statement", "a pattern cannot be read as a regular expression") from error
