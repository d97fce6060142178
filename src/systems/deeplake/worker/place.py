"""Where datasets and the bot's own files lie, and how a name becomes an address."""

import os
import re
import tempfile

from protocol import WorkerError

CONTROL = ".tas"
_SEGMENT = re.compile(r"^[^/\\\x00-\x1f]{1,255}$")


class Place:
    """The root: a folder, or `s3://bucket/prefix` with its keys."""

    def __init__(self, root, s3):
        if root.startswith(("hub://", "al://")):
            raise WorkerError("wrong-use", "datasets in the hub cannot be migrated")
        self.is_bucket = root.startswith("s3://")
        if not self.is_bucket and "://" in root:
            raise WorkerError("wrong-use", "the root is neither a folder nor s3://")
        self.root = root.rstrip("/") if self.is_bucket else os.path.abspath(root)
        self.s3 = s3 if self.is_bucket else None
        if self.is_bucket:
            bucket, _, prefix = self.root[5:].partition("/")
            self.bucket = bucket
            self.prefix = prefix

    @property
    def creds(self):
        """What DeepLake is told about the bucket; None for a folder."""
        if not self.s3:
            return {} if self.is_bucket else None
        return {
            "aws_access_key_id": self.s3["accessKey"],
            "aws_secret_access_key": self.s3["secretKey"],
            "aws_region": self.s3["region"],
            "endpoint_url": self.s3["endpointUrl"],
        }

    def check_name(self, name):
        """Names are relative, with `/`; none leads out of the root or through a link."""
        parts = name.split("/")
        if not all(_SEGMENT.match(part) and part not in (".", "..") for part in parts):
            raise WorkerError("wrong-use", "this is no name under the root")
        if self.is_bucket:
            return name
        path = self.root
        for part in parts:
            path = os.path.join(path, part)
            if os.path.islink(path):
                raise WorkerError("wrong-use", f"{name} goes through a link, which could lead out of the root")
        return name

    def path(self, name):
        """The folder's or file's path; only where the root is a folder."""
        return os.path.join(self.root, self.check_name(name))

    def key(self, name):
        """The object's key; only where the root is a bucket."""
        return "/".join(part for part in (self.prefix, self.check_name(name)) if part)

    def url(self, name):
        """The address of a dataset for DeepLake."""
        if self.is_bucket:
            return f"{self.root}/{self.check_name(name)}"
        return self.path(name)


def write_whole(path, content):
    """Writes a file as a whole or not at all, and makes it last."""
    folder = os.path.dirname(path)
    os.makedirs(folder, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=folder, prefix=".draft-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
        sync_folder(folder)
    except BaseException:
        if os.path.exists(draft):
            os.unlink(draft)
        raise


def sync_folder(path):
    """Makes renames in this folder last."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
