"""A new version of a dataset beside the old one: made, filled in the order of ids, brought up to date, compared."""

import json

import deeplake
import numpy

from datasets import LOG, dimension_of, exclusive, files_of, naming, open_dataset
from fields import TYPES, columns_of, commits_with, specification, values_for
from fingerprint import canonical, digests
from protocol import WorkerError, take
from rows import CHUNK, as_json, chunks, column_values, in_order

MARK = "tas_version"
_BEGUN = ("Dataset created", "Created initial schema")


def operations(place):
    def target_of(params):
        return take(params, "source", str), take(params, "target", str), take(params, "message", str)

    def plan(params, _progress):
        name, after, limit = take(params, "source", str), take(params, "after", str, None), take(params, "limit", int)
        dataset = open_dataset(place, name, writable=False)
        ids = [key for key, _ in in_order(dataset, name) if after is None or key > after]
        page = ids[:limit]
        return {"count": len(page), "upTo": page[-1] if page else None, "more": len(ids) > limit, "total": len(ids)}

    def copy(params, _progress):
        """Makes the target where it is missing; then brings the vectors of (after, upTo] that it has not."""
        source, target, message = target_of(params)
        after, up_to = take(params, "after", str, None), take(params, "upTo", str, None)
        with exclusive(place, target), naming(target):
            return copy_page(place, source, target, mapping(params), (after, up_to), message)

    def catch_up(params, _progress):
        source, target, message = target_of(params)
        with exclusive(place, target), naming(target):
            return bring_up_to_date(place, source, target, message)

    def compare(params, _progress):
        """Of which the target holds too few, too many or others; `sample` = how many vectors are compared in full."""
        return compare_versions(place, take(params, "source", str), take(params, "target", str), take(params, "sample", int))

    def state(params, _progress):
        name = take(params, "dataset", str)
        if not is_there(place, name):
            return None
        dataset = open_dataset(place, name, writable=False)
        messages = [version.message for version in dataset.history]
        return {"mark": mark_of(dataset), "messages": messages, "count": len(dataset), "version": dataset.version}

    return {
        "version-plan": plan,
        "version-copy": copy,
        "version-catch-up": catch_up,
        "version-compare": compare,
        "version-state": state,
        "version-carry": carry_operation(place),
    }


def is_there(place, name):
    return any(file.startswith(f"{LOG}/") for file, _ in files_of(place, name))


def mapping(params):
    """{rename: {old: new}, drop: [..], add: [{field, type, value, from?}]}: how old vectors become new ones."""
    found = take(params, "map", dict)
    return {
        "rename": take(found, "rename", dict, {}),
        "drop": take(found, "drop", list, []),
        "add": [specification(one) for one in take(found, "add", list, [])],
    }


def mark_of(dataset):
    # As text: inside of its own dicts DeepLake makes something else of null.
    return json.loads(dataset.metadata[MARK]) if MARK in dataset.metadata.keys() else None


def made(place, source, target, spec, message):
    """The target, open; it is made where it is missing, and a half-made one of ours is finished."""
    if not is_there(place, target):
        schema = {}
        for column in source.schema.columns:
            if column.name not in spec["drop"]:
                schema[spec["rename"].get(column.name, column.name)] = column.dtype
        for one in spec["add"]:
            if one["field"] in schema:
                raise WorkerError("exists", f"the field {one['field']} would be there twice")
            schema[one["field"]] = TYPES[one["type"]][0]()
        with_creds = {} if place.creds is None else {"creds": place.creds}
        deeplake.create(place.url(target), schema=schema, **with_creds)
    dataset = open_dataset(place, target)
    if mark_of(dataset) is None:
        if len(dataset) or any(version.message not in _BEGUN for version in dataset.history):
            raise WorkerError("exists", f"there is a dataset {target} already, and this step did not make it")
        dataset.metadata[MARK] = json.dumps({"map": spec, "by": message})
        dataset.commit(message)
    return dataset


def mapped_columns(spec):
    """A function from old columns' values to new ones'."""

    def change(values, count):
        new = {spec["rename"].get(name, name): cells for name, cells in values.items() if name not in spec["drop"]}
        for one in spec["add"]:
            sources = [None] * count
            if one["from"]:
                name, _, rest = one["from"].partition(".")
                sources = [inside(as_json(cell), rest) for cell in values.get(name, sources)]
            new[one["field"]] = values_for(one, sources)
        return new

    return change


def inside(value, path):
    for part in path.split(".") if path else []:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def append_rows(source, target, indexes, change, name):
    """In bounded pieces. Only texts can be missing: DeepLake writes no other field without a value."""
    for part in chunks(indexes, CHUNK):
        values = change({column: column_values(source, column, part) for column in sorted(columns_of(source))}, len(part))
        for column, cells in values.items():
            takes_none = target.schema[column].dtype.kind == deeplake.types.TypeKind.Text
            if not takes_none and not isinstance(cells, numpy.ndarray) and any(cell is None for cell in cells):
                raise WorkerError("unfit", f"{name} has vectors without a value in {column}")
        target.append(values)


def copy_page(place, source_name, target_name, spec, bounds, message):
    after, up_to = bounds
    source = open_dataset(place, source_name, writable=False)
    target = made(place, source, target_name, spec, message)
    if up_to is None:
        return {"appended": 0}
    known = set(target["id"][:]) if len(target) else set()
    order = in_order(source, source_name)
    wanted = [i for key, i in order if (after is None or key > after) and key <= up_to and key not in known]
    with naming(source_name):
        append_rows(source, target, wanted, mapped_columns(spec), source_name)
    if wanted:
        target.commit(message)
    return {"appended": len(wanted)}


def differing(source, target, names, spec):
    """(indexes in the source that the target lacks or has otherwise, indexes in the target that are stale or gone)."""
    old = dict(zip(source["id"][:] if len(source) else [], digests(source, names[0], sorted(columns_of(source)), mapped_columns(spec))))
    new = dict(zip(target["id"][:] if len(target) else [], digests(target, names[1], sorted(columns_of(target)))))
    stale = [i for i, key in enumerate(new) if old.get(key) != new[key]]
    missing = [i for i, key in enumerate(old) if new.get(key) != old[key]]
    return missing, stale


def bring_up_to_date(place, source_name, target_name, message):
    """Takes out what is gone or changed, brings what is new or changed, in one commit."""
    source, target = open_dataset(place, source_name, writable=False), open_dataset(place, target_name)
    mark = mark_of(target)
    if mark is None:
        return {"brought": 0, "removed": 0}
    spec = mapping(mark)
    missing, stale = differing(source, target, (source_name, target_name), spec)
    if missing or stale:
        for index in sorted(stale, reverse=True):
            target.delete(index)
        with naming(source_name):
            append_rows(source, target, missing, mapped_columns(spec), source_name)
        target.commit(message)
    return {"brought": len(missing), "removed": len(stale)}


def compare_versions(place, source_name, target_name, sample):
    source, target = (open_dataset(place, name, writable=False) for name in (source_name, target_name))
    mark = mark_of(target)
    old, new = dict(in_order(source, source_name)), dict(in_order(target, target_name))
    shared = [key for key in old if key in new]
    answer = {
        "counts": [len(source), len(target)],
        "dimensions": [dimension_of(source), dimension_of(target)],
        "missing": len(old) - len(shared),
        "extra": len(new) - len(shared),
        "sampled": 0,
        "different": [],
    }
    if mark is None or not shared:
        return answer
    change = mapped_columns(mapping(mark))
    step = max(1, len(shared) // max(1, sample))
    for key in shared[::step]:
        before = change({name: column_values(source, name, [old[key]]) for name in columns_of(source)}, 1)
        after = {name: column_values(target, name, [new[key]]) for name in columns_of(target)}
        answer["sampled"] += 1
        if set(before) != set(after) or any(canonical(before[n][0]) != canonical(after[n][0]) for n in before):
            answer["different"].append(key)
    return {**answer, "different": answer["different"][:5] if answer["different"] else []}


def carry_operation(place):
    def carry(params, _progress):
        """
        What users did in the new version since it stood at `since`, brought into the old one: vectors added, vectors deleted.
        Answers `unfit`: ids that the old schema cannot take, or that were changed; `dry` only says.
        """
        old_name, new_name, message = take(params, "old", str), take(params, "new", str), take(params, "message", str)
        since, dry = take(params, "since", str), take(params, "dry", bool, False)
        with exclusive(place, old_name), naming(new_name):
            new, old = open_dataset(place, new_name, writable=False), open_dataset(place, old_name)
            return carry_back(new, old, (new_name, since, message, dry))

    return carry


def carry_back(new, old, setting):
    new_name, since, message, dry = setting
    history = new.history
    if since not in [version.id for version in history]:
        raise WorkerError("conflict", f"{new_name} does not know the version {since} any more")
    if new.version == since:
        return {"added": 0, "deleted": 0, "unfit": []}
    then = history[since].open()
    columns = sorted(columns_of(new))
    before = dict(zip(then["id"][:] if len(then) else [], digests(then, new_name, sorted(columns_of(then)))))
    now = dict(zip(new["id"][:] if len(new) else [], digests(new, new_name, columns)))
    places = {key: i for i, key in enumerate(now)}
    there = {key: i for i, key in enumerate(old["id"][:])} if len(old) else {}
    added = [key for key in now if key not in before and key not in there]
    changed = [key for key in now if key in before and before[key] != now[key]]
    gone = [key for key in before if key not in now and key in there]
    fits = columns_of(old) <= set(columns) and dimension_of(old) == dimension_of(new)
    unfit = [*changed, *([] if fits else added)]
    if not dry and (gone or (fits and added)):
        for index in sorted((there[key] for key in gone), reverse=True):
            old.delete(index)
        if fits and added:
            keep = columns_of(old)
            append_rows(new, old, [places[key] for key in added], lambda cells, _: {n: cells[n] for n in keep}, new_name)
        old.commit(message)
    return {"added": len(added) if fits else 0, "deleted": len(gone), "unfit": unfit}
