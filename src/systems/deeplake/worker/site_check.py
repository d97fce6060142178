"""What the place is like, before anything changes: rights, room, and whether each dataset is sound. Leaves nothing behind."""

import os
import tempfile

from datasets import await_unlocked, naming, open_dataset
from place import CONTROL
from protocol import WorkerError, take
from rows import column_values
from s3 import Bucket
from swapping import exchange


def operations(place):
    def site(_params, _progress):
        return _bucket_site(place) if place.is_bucket else _folder_site(place)

    def probe(params, _progress):
        name = take(params, "dataset", str)
        dataset = open_dataset(place, name, writable=False)
        with naming(name):
            for column in dataset.schema.columns:
                for index in sorted({0, len(dataset) - 1}) if len(dataset) else []:
                    column_values(dataset, column.name, [index])
        if not place.is_bucket:
            await_unlocked(place, name)
            if not os.access(place.path(name), os.W_OK | os.X_OK):
                raise WorkerError("missing-rights", f"{name} may not be written to")
        return {}

    return {"site": site, "probe": probe}


def _bucket_site(place):
    next(Bucket(place).list(place.key(CONTROL) + "/"), None)
    return {"writable": True, "free": None, "exchanges": False}


def _folder_site(place):
    if not os.path.isdir(place.root):
        raise WorkerError("missing", "the folder of the datasets is not there")
    status = os.statvfs(place.root)
    answer = {"writable": os.access(place.root, os.W_OK | os.X_OK), "free": status.f_bavail * status.f_frsize, "exchanges": None}
    if answer["writable"]:
        control = place.path(CONTROL)
        os.makedirs(control, mode=0o700, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=control, prefix="try-") as folder:
            pair = [os.path.join(folder, name) for name in "ab"]
            for path in pair:
                os.mkdir(path)
            try:
                exchange(*pair)
                answer["exchanges"] = True
            except WorkerError:
                answer["exchanges"] = False
    return answer
