"""Operations on datasets of vectors: what is in them, carrying rows from one to another, and whether two agree."""

import time
from collections import Counter

import datasets
import deeplake
import numpy as np
import vector_rows
from embedding_client import Busy, EmbeddingClient
from protocol import WorkerError, take

_WINDOW = 500
# Least likeness of a vector to the one that its text gets now: endpoints do not answer the same bits twice.
_LIKE = 0.98


def operations(place):
    vectors = _Vectors(place)
    return {
        "vectors-names": vectors.names,
        "vectors-survey": vectors.survey,
        "vectors-probe": vectors.probe,
        "vectors-carry": vectors.carry,
        "vectors-prune": vectors.prune,
        "vectors-compare": vectors.compare,
        "vectors-state": vectors.state,
    }


class _Vectors:
    def __init__(self, place):
        self._place = place
        # Of targets as we left them: name → (version, index).
        self._known = {}

    def names(self, params, _progress):
        """Datasets whose name fits the pattern, in order."""
        return {"names": datasets.matching(self._place, take(params, "datasets", str))}

    def survey(self, params, progress):
        """Each of the datasets, with its rows by model and dimension. `untilMs` ends the counting early."""
        until = _deadline(params.get("untilMs"))
        found, exact, known = [], True, 0
        for name in take(params, "names", list):
            dataset = vector_rows.open_vectors(self._place, name)
            models, characters, ids, doubled = Counter(), Counter(), set(), 0
            for start in range(0, len(dataset), _WINDOW):
                if time.monotonic() > until:
                    exact = False
                    break
                end = min(start + _WINDOW, len(dataset))
                sizes = vector_rows.row_sizes(dataset, start, end)
                cells = zip(dataset["id"][start:end], dataset["model"][start:end], dataset["content"][start:end], sizes)
                for one, model, content, size in cells:
                    doubled += one in ids
                    ids.add(one)
                    models[(model, size)] += 1
                    characters[(model, size)] += len(content)
                known += end - start
                progress(known)
            kinds = sorted(models.items(), key=lambda entry: (-entry[1], entry[0]))
            found.append({
                "name": name,
                "rows": len(dataset),
                "doubled": doubled,
                "dimension": vector_rows.dimension_of(dataset),
                "models": [
                    {"model": model, "dimension": size, "rows": count, "characters": characters[(model, size)]}
                    for (model, size), count in kinds
                ],
                "mark": vector_rows.mark_of(dataset),
            })
        return {"datasets": found, "exact": exact}

    def probe(self, params, _progress):
        """One word is embedded: the endpoint is there, knows the model and gives the dimension."""
        try:
            return {"why": None, "shortens": _client(params).probe()}
        except Busy as busy:
            return {"why": busy.why, "shortens": False}

    def state(self, params, _progress):
        """One dataset, without reading its rows."""
        name = take(params, "name", str)
        if not self._is_made(name):
            return None
        dataset = vector_rows.open_vectors(self._place, name)
        return {
            "rows": len(dataset),
            "dimension": vector_rows.dimension_of(dataset),
            "version": dataset.version,
            "ours": vector_rows.is_ours(dataset),
            "mark": vector_rows.mark_of(dataset),
        }

    def carry(self, params, progress):
        """
        Brings rows of the source from `at` on into the target: those that are not there, or whose content changed. `to` null
        copies vectors as they are; else rows of other models are embedded. Commits after each `batch`. `dry` only counts.
        """
        source_name, name = take(params, "source", str), take(params, "target", str)
        with datasets.exclusive(self._place, name):
            source = vector_rows.open_vectors(self._place, source_name)
            target = self._target(params, source)
            index = self._index(name, target)
            todo, at = self._todo(params, source, index)
            client = _client(params) if params.get("endpoint") else None
            counts, busy = Counter(), None
            until = _deadline(1000 * take(params, "seconds", (int, float)))
            size = take(params, "batch", int)
            done = 0
            waiting = len(todo)
            if params.get("dry"):
                todo = []
            while done < len(todo) and (done == 0 or time.monotonic() < until):
                part = todo[done : done + size]
                try:
                    self._write(params, source, target, index, part, client, counts)
                except Busy as caught:
                    busy = caught
                    break
                self._known[name] = (target.version, index)
                done += len(part)
                progress(done, len(todo))
            if done < len(todo):
                at = todo[done][0]
            return {
                "at": at,
                "todo": waiting - done,
                "rows": len(source),
                "there": len(target),
                "version": source.version,
                **{what: counts[what] for what in ("embedded", "copied", "changed")},
                "tokens": client.tokens if client else 0,
                "busy": None if busy is None else {"why": busy.why, "waitMs": busy.wait_ms},
            }

    def _target(self, params, source):
        name, mark = take(params, "target", str), params.get("create")
        to = params.get("to")
        if mark is not None and not self._is_made(name, again=True):
            return vector_rows.create_like(self._place, name, source, to and to["dimension"] or params.get("dimension"), mark)
        target = vector_rows.open_vectors(self._place, name, write=True)
        if to and vector_rows.dimension_of(target) not in (None, to["dimension"]):
            raise WorkerError("exists", f"the dataset {name} has another dimension than {to['dimension']}")
        found = vector_rows.mark_of(target)
        if mark is not None and (found is None or any(found.get(what) != mark[what] for what in ("source", "role", "model"))):
            raise WorkerError("exists", f"the dataset {name} is there already and not one that was made for this")
        return target

    def _is_made(self, name, again=False):
        """One that was begun and never got its columns holds nothing; `again` takes it away, to be made again."""
        if not vector_rows.exists(self._place, name):
            return False
        creds = self._place.creds
        dataset = deeplake.open_read_only(self._place.url(name), **({} if creds is None else {"creds": creds}))
        # A damaged log has no columns either; one that was only begun tells of its beginning.
        begun = len(dataset.schema.columns) == 0 and [entry.message for entry in dataset.history] == ["Dataset created"]
        del dataset
        if begun and again:
            deeplake.delete(self._place.url(name), creds=creds)
        return not begun

    def _index(self, name, target):
        """Rows that a process beside us wrote twice are taken out again, the later one of each."""
        version, index = self._known.get(name, (None, None))
        if version == target.version:
            return index
        index, doubled = vector_rows.index_of(target)
        if doubled and vector_rows.is_ours(target):
            vector_rows.delete_rows(target, doubled)
            target.commit(f"{vector_rows.OURS}takes rows out that were there twice")
            index, _ = vector_rows.index_of(target)
        return index

    def _todo(self, params, source, index):
        """(place, row, place in the target or None) of at most `limit` rows, and where the next look begins."""
        to, only, limit = params.get("to"), params.get("only"), take(params, "limit", int)
        at = take(params, "at", int)
        end = min(len(source), params["end"] if params.get("end") is not None else len(source))
        size = params.get("dimension")
        todo = []
        while at < end and len(todo) < limit:
            stop = min(at + _WINDOW, end)
            sizes = vector_rows.row_sizes(source, at, stop)
            found = vector_rows.read_rows(source, at, stop)
            for row, dimension in zip(found, sizes):
                at += 1
                if only is not None and row["model"] != only or size is not None and dimension != size:
                    continue
                known = index.get(row["id"])
                if known is not None and known[1] == vector_rows.digest_of(row):
                    continue
                _check_model(params, row, dimension)
                as_is = to is None or (row["model"], dimension) == (to["model"], to["dimension"])
                todo.append((at - 1, row, None if known is None else known[0], as_is))
                if len(todo) == limit:
                    break
        return todo, at

    def _write(self, params, source, target, index, part, client, counts):
        """Vectors first, all of them; then the rows; then the commit: what broke off before it was never there."""
        to = params.get("to")
        texts = [row["content"] for _, row, _, as_is in part if not as_is]
        if texts and client is None:
            raise WorkerError("wrong-use", "rows must be embedded, and no embeddings endpoint is configured")
        fresh = iter(client.embed(texts)) if texts else iter(())
        new, by = [], take(params, "by", str)
        for place, row, known, as_is in part:
            vector = source["embedding"][place] if as_is else next(fresh)
            whole = {**row, "embedding": np.asarray(vector, np.float32), "model": row["model"] if as_is else to["model"]}
            counts["copied" if as_is else "embedded"] += 1
            if known is None:
                new.append(whole)
            else:
                counts["changed"] += 1
                for column, value in whole.items():
                    target[column][known] = value
        start = len(target)
        if new:
            target.append({column: [row[column] for row in new] for column in new[0]})
        target.commit(f"{vector_rows.OURS}{by}")
        for offset, row in enumerate(new):
            index[row["id"]] = (start + offset, vector_rows.digest_of(row))
        for _, row, known, _ in part:
            if known is not None:
                index[row["id"]] = (known, vector_rows.digest_of(row))

    def prune(self, params, _progress):
        """
        Takes rows out of the target that none of the sources has any more. `onlyOurs`: nothing is removed where others have
        written to the target: it then counts what stays.
        """
        name = take(params, "target", str)
        with datasets.exclusive(self._place, name):
            target = vector_rows.open_vectors(self._place, name, write=True)
            there = set()
            for name_of_source in take(params, "sources", list):
                source = vector_rows.open_vectors(self._place, name_of_source)
                there.update(source["id"][:])
            gone = [place for place, one in enumerate(target["id"][:]) if one not in there]
            if not gone:
                return {"removed": 0, "stays": 0}
            if params.get("onlyOurs") and not vector_rows.is_ours(target):
                return {"removed": 0, "stays": len(gone)}
            self._known.pop(name, None)
            vector_rows.delete_rows(target, gone)
            target.commit(f"{vector_rows.OURS}{take(params, 'by', str)} takes out what is gone")
            return {"removed": len(gone), "stays": 0}

    def compare(self, params, progress):
        """Whether the target holds what the sources hold: ids, content, model, dimension; a sample is embedded again."""
        to, only, exact = params.get("to"), params.get("only"), params.get("exact", False)
        target = vector_rows.open_vectors(self._place, take(params, "target", str))
        index, doubled = vector_rows.index_of(target, progress)
        counts, expected = Counter({"doubled": len(doubled)}), set()
        for name in take(params, "sources", list):
            source = vector_rows.open_vectors(self._place, name)
            for start in range(0, len(source), _WINDOW):
                end = min(start + _WINDOW, len(source))
                found, sizes = vector_rows.read_rows(source, start, end), vector_rows.row_sizes(source, start, end)
                for at, (row, size) in enumerate(zip(found, sizes), start):
                    if only is not None and row["model"] != only or params.get("dimension") not in (None, size):
                        continue
                    expected.add(row["id"])
                    known = index.get(row["id"])
                    if known is None:
                        counts["missing"] += 1
                    elif known[1] != vector_rows.digest_of(row):
                        counts["changed"] += 1
                    elif exact and not np.array_equal(source["embedding"][at], target["embedding"][known[0]]):
                        counts["changed"] += 1
        counts["extra"] = sum(1 for one in index if one not in expected)
        self._look(target, to, only, counts)
        sampled, unlike, worst = self._sample(params, target) if params.get("sample") else (0, 0, None)
        names = ("missing", "extra", "changed", "doubled", "otherModel", "otherDimension", "empty")
        told = {name: counts[name] for name in names}
        return {"rows": len(target), "expected": len(expected), **told, "sampled": sampled, "unlike": unlike, "worst": worst}

    def _look(self, target, to, only, counts):
        model = to["model"] if to else only
        for start in range(0, len(target), _WINDOW):
            end = min(start + _WINDOW, len(target))
            for one, vector in zip(target["model"][start:end], target["embedding"][start:end]):
                counts["otherModel"] += model is not None and one != model
                counts["otherDimension"] += to is not None and len(vector) != to["dimension"]
                counts["empty"] += not np.any(vector)

    def _sample(self, params, target):
        """Rows spread over the dataset, the first and the last among them."""
        count = min(take(params, "sample", int), len(target))
        if count == 0:
            return 0, 0, None
        places = sorted({round(step * (len(target) - 1) / max(count - 1, 1)) for step in range(count)})
        client = _client(params)
        for attempt in range(4):
            try:
                fresh = client.embed([target["content"][place] for place in places])
                break
            except Busy as busy:
                if attempt == 3:
                    raise WorkerError("endpoint-busy", busy.why) from busy
                time.sleep(min(busy.wait_ms / 1000, 10))
        likeness = []
        for place, vector in zip(places, fresh):
            there = np.asarray(target["embedding"][place], np.float64)
            size = np.linalg.norm(there) * np.linalg.norm(vector)
            likeness.append(float(there @ vector / size) if size and there.shape == vector.shape else 0.0)
        return len(places), sum(1 for one in likeness if one < _LIKE), min(likeness)


def _check_model(params, row, dimension):
    """A row of a third model would get lost in the numbers of the two: it is split off first."""
    to, known = params.get("to"), params.get("from")
    if to is None or known is None or row["model"] == known:
        return
    if (row["model"], dimension) != (to["model"], to["dimension"]):
        raise WorkerError("mixed", f"{params['source']} holds vectors of another model than {known}")


def _client(params):
    to = take(params, "to", dict)
    client = EmbeddingClient(take(params, "endpoint", dict), to["model"], to["dimension"])
    if params["endpoint"].get("shortens"):
        client.ask_for_dimension()
    return client


def _deadline(milliseconds):
    return float("inf") if milliseconds is None else time.monotonic() + milliseconds / 1000
