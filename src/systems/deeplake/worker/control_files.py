"""Small files of the bot beside the datasets (`.tas/`): identity, fences, journal. The first or the expected writer wins."""

import base64
import contextlib
import fcntl
import hashlib
import os

from place import CONTROL, write_whole
from protocol import WorkerError, take
from s3 import Bucket


def operations(place):
    files = _BucketFiles(place) if place.is_bucket else _FolderFiles(place)

    def read(params, _progress):
        found = files.read(_name(params))
        if found is None:
            return None
        content, tag = found
        return {"content": base64.b64encode(content).decode(), "tag": tag}

    def write(params, _progress):
        """`ifTag`: the tag that must stand there; null = nothing may stand there; absent = whatever stands there."""
        content = base64.b64decode(take(params, "content", str), validate=True)
        expected = params.get("ifTag", ...)
        return {"written": files.write(_name(params), content, expected)}

    def list_names(params, _progress):
        return {"names": sorted(files.list(_name(params)))}

    def remove(params, _progress):
        files.remove(_name(params))
        return {}

    return {"file-read": read, "file-write": write, "file-list": list_names, "file-remove": remove}


def _name(params):
    name = take(params, "name", str)
    if name.split("/")[0] == CONTROL:
        raise WorkerError("wrong-use", f"names are told without {CONTROL}")
    return f"{CONTROL}/{name}"


class _FolderFiles:
    def __init__(self, place):
        self._place = place

    def read(self, name):
        try:
            with open(self._place.path(name), "rb") as file:
                content = file.read()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return content, hashlib.sha256(content).hexdigest()

    def write(self, name, content, expected):
        with self._exclusive():
            if expected is not ...:
                found = self.read(name)
                if (found[1] if found else None) != expected:
                    return False
            write_whole(self._place.path(name), content)
            return True

    def list(self, name):
        """Names under the folder, relative to it, at every depth."""
        top = self._place.path(name)
        for folder, _, files in os.walk(top):
            for file in files:
                if not file.startswith(".draft-"):
                    yield os.path.relpath(os.path.join(folder, file), top)

    def remove(self, name):
        with self._exclusive(), contextlib.suppress(FileNotFoundError):
            os.unlink(self._place.path(name))

    @contextlib.contextmanager
    def _exclusive(self):
        """Between processes of one machine; the lock goes with its process."""
        folder = self._place.path(CONTROL)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        with open(os.path.join(folder, "lock"), "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


class _BucketFiles:
    def __init__(self, place):
        self._place = place
        self._bucket = Bucket(place)

    def read(self, name):
        status, headers, body = self._bucket.request("GET", self._place.key(name), allow=(404,))
        return None if status == 404 else (body, headers.get("etag", ""))

    def write(self, name, content, expected):
        headers = {}
        if expected is None:
            headers = {"if-none-match": "*"}
        elif expected is not ...:
            headers = {"if-match": expected}
        status, _, _ = self._bucket.request("PUT", self._place.key(name), body=content, headers=headers, allow=(404, 409, 412))
        return status < 300

    def list(self, name):
        prefix = self._place.key(name) + "/"
        for key, _, _ in self._bucket.list(prefix):
            yield key[len(prefix) :]

    def remove(self, name):
        self._bucket.request("DELETE", self._place.key(name), allow=(404,))
