"""Adds a field to the vectors of a dataset in a commit of its own, and takes it away again."""

import deeplake

from datasets import exclusive, naming, open_dataset
from protocol import WorkerError, take
from rows import CHUNK, as_json, chunks, read

TYPES = {
    "text": (deeplake.types.Text, str),
    "int": (deeplake.types.Int64, int),
    "float": (deeplake.types.Float64, (int, float)),
    "bool": (deeplake.types.Bool, bool),
}
_TRIES = 5


def operations(place):
    def add(params, _progress):
        name, message = take(params, "dataset", str), take(params, "message", str)
        with exclusive(place, name), naming(name):
            return add_field(place, name, specification(params), message, take(params, "fill", bool, False))

    def judge_removal(params, _progress):
        name = take(params, "dataset", str)
        with naming(name):
            return judge(place, name, specification(params), take(params, "mine", list))

    def remove(params, _progress):
        name, message = take(params, "dataset", str), take(params, "message", str)
        with exclusive(place, name), naming(name):
            return remove_field(place, name, specification(params), take(params, "mine", list), message)

    return {"field-add": add, "field-judge": judge_removal, "field-remove": remove}


def specification(params):
    """{field, type, value} or {field, type, from, value}: `from` a field of the same vector, `value` where it has none."""
    found = {"field": take(params, "field", str), "type": take(params, "type", str), "from": take(params, "from", str, None)}
    if found["type"] not in TYPES:
        raise WorkerError("wrong-use", f"the type {found['type']} is not known")
    found["value"] = fitting(take(params, "value", (str, int, float, bool)), found["type"])
    return found


def fitting(value, kind):
    """The value as the type has it; None where it does not fit."""
    fits = isinstance(value, TYPES[kind][1]) and (kind == "bool" or not isinstance(value, bool))
    return (float(value) if kind == "float" else value) if fits else None


def values_for(spec, sources):
    """What the field gets, vector by vector; `sources`: the values of `from`, or anything of that length."""
    if spec["from"] is None:
        return [spec["value"]] * len(sources)
    made = (fitting(value, spec["type"]) for value in sources)
    return [spec["value"] if value is None else value for value in made]


def columns_of(dataset):
    return {column.name for column in dataset.schema.columns}


def commits_with(dataset, messages):
    return [version.id for version in dataset.history if version.message in messages]


def add_field(place, name, spec, message, fill):
    dataset = open_dataset(place, name)
    field = spec["field"]
    mine = commits_with(dataset, [message])
    if field not in columns_of(dataset):
        # The default is for writers that do not know the field: without it each of their writes would fail.
        dataset.add_column(field, TYPES[spec["type"]][0](), default_value=spec["value"])
    elif not mine and not fill:
        raise WorkerError("exists", f"{name} has a field {field} already")
    # The vectors that were there stay empty whatever the default, and so do those that others add meanwhile.
    for _ in range(_TRIES):
        if set_empty(dataset, spec) == 0 and mine:
            return {"commit": mine[-1]}
        dataset.commit(message)
        dataset = open_dataset(place, name)
        mine = commits_with(dataset, [message])
    raise WorkerError("changing", f"{name} is being written to")


def set_empty(dataset, spec):
    """Gives the field to all vectors that have no value in it; answers how many."""
    done = 0
    for indexes in chunks(range(len(dataset)), CHUNK):
        present = read(dataset, indexes, [spec["field"]])
        empty = [i for i, row in zip(indexes, present) if row[spec["field"]] is None]
        if not empty:
            continue
        sources = [row[spec["from"]] for row in read(dataset, empty, [spec["from"]])] if spec["from"] else empty
        values = values_for(spec, sources)
        column = dataset[spec["field"]]
        if len(empty) == len(indexes):
            column[indexes[0] : indexes[-1] + 1] = values
        else:
            for index, value in zip(empty, values):
                column[index] = value
        done += len(empty)
    return done


def by_id(dataset, field):
    found = {}
    for indexes in chunks(range(len(dataset)), CHUNK):
        for row in read(dataset, indexes, ["id", field]):
            found[row["id"]] = row[field]
    return found


def judge(place, name, spec, mine):
    """What taking the field away would do. `conflicts`: vectors whose value is not what the run wrote."""
    dataset = open_dataset(place, name, writable=False)
    field, history = spec["field"], dataset.history
    answer = {"action": "gone", "count": 0, "missing": 0, "conflicts": [], "version": dataset.version}
    own = commits_with(dataset, mine)
    if field not in columns_of(dataset) or not own:
        return answer
    versions = [version.id for version in history]
    if versions[versions.index(own[0]) :] == own:
        return {**answer, "action": "revert", "count": len(dataset)}
    now = by_id(dataset, field)
    ours = by_id(history[own[-1]].open(), field)
    both = [key for key in now if key in ours]
    changed = [key for key in both if now[key] != ours[key]]
    added = [key for key in now if key not in ours and now[key] not in (None, spec["value"])]
    conflicts = [{"key": key, "ours": as_json(ours.get(key)), "theirs": as_json(now[key])} for key in [*changed, *added]]
    count = len(both) - len(changed)
    missing = sum(key not in now for key in ours)
    return {**answer, "action": "empty" if conflicts else "remove", "count": count, "missing": missing, "conflicts": conflicts}


def remove_field(place, name, spec, mine, message):
    """Judges again under the lock, then acts. `judged` is null where it was done before."""
    dataset = open_dataset(place, name)
    field = spec["field"]
    if commits_with(dataset, [message]):
        return {"judged": None}
    judged = judge(place, name, spec, mine)
    if judged["action"] == "gone":
        return {"judged": None}
    if judged["action"] == "revert":
        own, versions = commits_with(dataset, mine), [version.id for version in dataset.history]
        try:
            dataset.revert_to(versions[versions.index(own[0]) - 1])
            return {"judged": judged}
        except RuntimeError:
            # What lies before was reverted or compacted itself: the field goes by a commit of its own.
            dataset = open_dataset(place, name)
    kept = {conflict["key"]: conflict["theirs"] for conflict in judged["conflicts"]}
    ids = dataset["id"][:]
    dataset.remove_column(field)
    if kept:
        dataset.add_column(field, TYPES[spec["type"]][0](), default_value=spec["value"])
        column = dataset[field]
        for index, key in enumerate(ids):
            if kept.get(key) is not None:
                column[index] = kept[key]
    dataset.commit(message)
    return {"judged": judged}
