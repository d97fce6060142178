"""Checks over vectors: which ones do not hold what they must. Reads only."""

import re

from datasets import matching, naming, open_dataset
from protocol import WorkerError, take
from rows import CHUNK, as_text, chunks, condition, pattern_of, read

_SAMPLES = 5


def operations(place):
    def violations(params, progress):
        """`match` takes groups out of the dataset's name; `$1` in a pattern of `must` stands for one, as plain text."""
        glob, match = take(params, "datasets", str), pattern_of(take(params, "match", str, ".*"))
        where, must = take(params, "where", dict, None) or {}, take(params, "must", dict, None) or {}
        unique, same = take(params, "unique", str, None), take(params, "same", list, None) or []
        if not must and not unique and not same:
            raise WorkerError("invalid-statement", "a check says what vectors `must` hold, or which fields are `unique` or `same`")
        condition(where, ""), condition(must, "")
        count, samples, done = 0, [], 0
        for name in matching(place, glob):
            groups = match.search(name)
            if not groups:
                continue
            chosen, fits = condition(where, name), condition(filled(must, groups), name)
            seen, first = set(), None
            for key, values in _values(place, name, {"id", *chosen.fields, *fits.fields, *same, *([unique] if unique else [])}):
                done += 1
                if done % CHUNK == 0:
                    progress(done)
                if not chosen(values):
                    continue
                value = as_text(values[unique]) if unique else None
                doubled = value is not None and value in seen
                seen.add(value)
                told = [values[field] for field in same]
                first = told if first is None else first
                if fits(values) and not doubled and told == first:
                    continue
                count += 1
                if len(samples) < _SAMPLES:
                    samples.append({"dataset": name, "id": key})
        return {"count": count, "samples": samples}

    return {"violations": violations}


def _values(place, name, fields):
    dataset = open_dataset(place, name, writable=False)
    with naming(name):
        for indexes in chunks(range(len(dataset)), CHUNK):
            for values in read(dataset, indexes, sorted(fields)):
                yield as_text(values["id"]) or "", values


def filled(must, groups):
    def fill(text):
        def group(found):
            try:
                return re.escape(groups.group(int(found.group(1))) or "")
            except IndexError as error:
                raise WorkerError("invalid-statement", "a pattern names a group that `match` has not") from error

        return text if text is None else re.sub(r"\$([1-9])", group, text)

    return {field: fill(text) for field, text in must.items()}
