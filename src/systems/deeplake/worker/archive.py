"""Copies datasets, file by file under their checksums, into a folder of the backups and back."""

import hashlib
import os
import shutil

from datasets import LOG, exclusive, files_of, open_dataset
from swapping import exchange, lent_to, remove_dataset
from place import CONTROL, sync_folder, write_whole
from protocol import WorkerError, take
from s3 import Bucket

_PIECE = 4 << 20
_TRIES = 5


def operations(place):
    def save(params, progress):
        name, objects = take(params, "dataset", str), take(params, "objects", str)
        for _ in range(_TRIES):
            version = open_dataset(place, name, writable=False).version
            names = own_files(place, name)
            try:
                files = [{"path": file, **keep(_open(place, name, file), objects)} for file in names]
            except FileNotFoundError:
                continue
            if open_dataset(place, name, writable=False).version == version and own_files(place, name) == names:
                progress(sum(file["bytes"] for file in files))
                return {"version": version, "files": files}
        raise WorkerError("changing", f"{name} was written to while it was being copied")

    def verify(params, progress):
        objects, done = take(params, "objects", str), 0
        for file in take(params, "files", list):
            content_of(objects, file)
            done += file["bytes"]
            progress(done)
        return {}

    def restore(params, progress):
        name, objects, files = take(params, "dataset", str), take(params, "objects", str), take(params, "files", list)
        with exclusive(place, name):
            (_restore_bucket if place.is_bucket else _restore_folder)(place, name, objects, files, progress)
        return {}

    return {"archive-save": save, "archive-verify": verify, "archive-restore": restore}


def own_files(place, name):
    """Without locks, and without what a swap lent."""
    lent = lent_to(place, name)
    return sorted(file for file, _ in files_of(place, name) if not file.endswith(".lock") and file not in lent)


def _open(place, name, file):
    if place.is_bucket:
        status, _, body = Bucket(place).request("GET", place.key(f"{name}/{file}"), allow=(404,))
        if status == 404:
            raise FileNotFoundError(file)
        yield body
        return
    with open(os.path.join(place.path(name), file), "rb") as source:
        while piece := source.read(_PIECE):
            yield piece


def path_of(objects, sha256):
    return os.path.join(objects, sha256[:2], sha256)


def keep(pieces, objects):
    """Keeps a content under its checksum; a known one is only touched."""
    incoming = os.path.join(objects, "incoming", f"deeplake-{os.getpid()}")
    os.makedirs(os.path.dirname(incoming), exist_ok=True)
    digest, length = hashlib.sha256(), 0
    try:
        with open(incoming, "wb") as file:
            for piece in pieces:
                digest.update(piece)
                length += len(piece)
                file.write(piece)
            file.flush()
            target = path_of(objects, digest.hexdigest())
            known = os.path.exists(target) and os.path.getsize(target) == length
            if not known:
                os.fsync(file.fileno())
        if known:
            os.utime(target)
        else:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.replace(incoming, target)
            sync_folder(os.path.dirname(target))
    finally:
        if os.path.exists(incoming):
            os.unlink(incoming)
    return {"sha256": digest.hexdigest(), "bytes": length}


def content_of(objects, file):
    """The checked content, a file at a time: DeepLake's files are a few MB each."""
    try:
        with open(path_of(objects, file["sha256"]), "rb") as source:
            content = source.read()
    except FileNotFoundError as error:
        raise WorkerError("corrupt-backup", f"the content {file['sha256'][:12]}… is missing") from error
    if len(content) != file["bytes"] or hashlib.sha256(content).hexdigest() != file["sha256"]:
        raise WorkerError("corrupt-backup", f"the content {file['sha256'][:12]}… is not what was written")
    return content


def _restore_folder(place, name, objects, files, progress):
    draft = os.path.join(place.path(CONTROL), "restoring", hashlib.sha256(name.encode()).hexdigest())
    shutil.rmtree(draft, ignore_errors=True)
    os.makedirs(draft)
    done = 0
    for file in files:
        _check(file["path"])
        write_whole(os.path.join(draft, file["path"]), content_of(objects, file))
        done += file["bytes"]
        progress(done)
    target = place.path(name)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.isdir(target):
        try:
            exchange(target, draft)
        except WorkerError:
            # A volume that cannot: for a moment there is nothing under the name.
            remove_dataset(place, name)
            os.rename(draft, target)
            sync_folder(os.path.dirname(target))
        shutil.rmtree(draft, ignore_errors=True)
    else:
        os.rename(draft, target)
        sync_folder(os.path.dirname(target))


def _restore_bucket(place, name, objects, files, progress):
    """Contents first, the log afterwards: until then the name holds what it held, or nothing."""
    bucket, done, prefix = Bucket(place), 0, place.key(name) + "/"
    remove_dataset(place, name)
    for file in sorted(files, key=lambda file: file["path"].startswith(f"{LOG}/")):
        _check(file["path"])
        bucket.request("PUT", prefix + file["path"], body=content_of(objects, file))
        done += file["bytes"]
        progress(done)


def _check(path):
    if path.startswith("/") or ".." in path.split("/"):
        raise WorkerError("corrupt-backup", "a file of the set leads out of its folder")
