"""Asks an endpoint that speaks OpenAI's `/v1/embeddings`. The key is in no message, log or argument."""

import base64
import email.utils
import http.client
import json
import random
import ssl
import time
import urllib.parse

import numpy as np
from protocol import WorkerError, take

_TRIES = 3
_SECONDS = 60
_MOST_BYTES = 256 * 2**20
# Longer waits are the caller's: meanwhile people can pause the run.
_LONGEST_WAIT = 1.5
_PASSING = (408, 409, 429, 500, 502, 503, 504, 529)


class Busy(Exception):
    """The endpoint does not serve now; `wait_ms` is what it asks for, or what is decent."""

    def __init__(self, why, wait_ms):
        super().__init__(why)
        self.why, self.wait_ms = why, wait_ms


class EmbeddingClient:
    """One endpoint and model. Every vector is checked: a wrong dimension is refused, never written."""

    def __init__(self, endpoint, model, dimension):
        url = urllib.parse.urlsplit(take(endpoint, "url", str))
        if url.scheme not in ("http", "https") or not url.hostname:
            raise WorkerError("wrong-use", "the address of the embeddings endpoint is no http address")
        self._url, self._key = url, endpoint.get("key")
        self._model, self._dimension = model, dimension
        self._asks_for_dimension = False
        self._connection = None
        self.tokens = 0

    def ask_for_dimension(self):
        """From now on the model is asked to shorten its vectors."""
        self._asks_for_dimension = True

    def probe(self):
        """Embeds one word; a model whose own dimension is another is asked to shorten, if it can. True where it must be asked."""
        try:
            self.embed(["dimension"])
        except WorkerError as error:
            if error.code != "wrong-dimension":
                raise
            self.ask_for_dimension()
            try:
                self.embed(["dimension"])
            except WorkerError as second:
                if second.code in ("wrong-dimension", "refused-request"):
                    raise error from second
                raise
        return self._asks_for_dimension

    def embed(self, texts):
        """The vectors of the texts, in order. Raises `Busy` where waiting may help, else `WorkerError`."""
        # An empty text is refused by endpoints; a vector it must have all the same.
        body = {"model": self._model, "input": [text or " " for text in texts], "encoding_format": "base64"}
        if self._asks_for_dimension:
            body["dimensions"] = self._dimension
        answer = self._ask(json.dumps(body).encode())
        vectors = _vectors(answer, len(texts))
        usage = answer.get("usage")
        self.tokens += int(usage.get("prompt_tokens") or 0) if isinstance(usage, dict) else 0
        for vector in vectors:
            if len(vector) != self._dimension:
                message = f"the endpoint gives {len(vector)} dimensions for {self._model}, wanted are {self._dimension}"
                raise WorkerError("wrong-dimension", message)
            if not np.all(np.isfinite(vector)) or not np.any(vector):
                raise WorkerError("bad-answer", f"the endpoint gives vectors for {self._model} that are none")
        return np.stack(vectors)

    def _ask(self, body):
        for attempt in range(_TRIES):
            why, asked = self._try(body)
            if why is None:
                return asked
            wait = asked if asked is not None else 0.25 * 2**attempt * random.uniform(0.5, 1.5)
            if attempt == _TRIES - 1 or wait > _LONGEST_WAIT:
                raise Busy(why, round(1000 * (asked if asked is not None else random.uniform(2, 5))))
            time.sleep(wait)
        raise AssertionError

    def _try(self, body):
        """(None, answer), or (why not, seconds to wait or None)."""
        try:
            status, headers, content = self._send(body)
        except (OSError, http.client.HTTPException):
            self._close()
            return "the embeddings endpoint cannot be reached", None
        if status == 200:
            try:
                return None, json.loads(content)
            except ValueError as error:
                raise WorkerError("bad-answer", "the embeddings endpoint answers with no JSON") from error
        if status in _PASSING:
            words = "asks for fewer requests (429)" if status == 429 else f"answers {status}"
            return f"the embeddings endpoint {words}", _retry_after(headers.get("Retry-After"))
        if status in (401, 403):
            raise WorkerError("wrong-key", "the embeddings endpoint refuses the API key")
        if status == 404:
            raise WorkerError("no-model", f"the embeddings endpoint does not know {self._model}")
        raise WorkerError("refused-request", f"the embeddings endpoint refuses a request for {self._model} ({status})")

    def _send(self, body):
        if self._connection is None:
            self._connection = self._connect()
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        # No redirects: they would carry the key elsewhere.
        self._connection.request("POST", f"{self._url.path.rstrip('/')}/embeddings", body=body, headers=headers)
        answer = self._connection.getresponse()
        content = answer.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise WorkerError("bad-answer", "the embeddings endpoint answers with too much")
        if answer.will_close:
            self._close()
        return answer.status, answer.headers, content

    def _connect(self):
        if self._url.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(self._url.hostname, self._url.port, timeout=_SECONDS, context=context)
        return http.client.HTTPConnection(self._url.hostname, self._url.port, timeout=_SECONDS)

    def _close(self):
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def _retry_after(text):
    """Seconds; the header holds a number or a date."""
    if not text:
        return None
    try:
        return min(max(float(text), 0.0), 86_400.0)
    except ValueError:
        pass
    try:
        return min(max(email.utils.parsedate_to_datetime(text).timestamp() - time.time(), 0.0), 86_400.0)
    except (TypeError, ValueError):
        return None


def _vectors(answer, count):
    """By index: an endpoint need not keep the order. Packed or plain, whatever it gives."""
    wrong = WorkerError("bad-answer", "the embeddings endpoint answers with something else than it was asked for")
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, list) or len(data) != count:
        raise wrong
    found = [None] * count
    for place, entry in enumerate(data):
        index = entry.get("index", place) if isinstance(entry, dict) else None
        if not isinstance(index, int) or not 0 <= index < count or found[index] is not None:
            raise wrong
        try:
            value = entry["embedding"]
            if isinstance(value, str):
                found[index] = np.frombuffer(base64.b64decode(value, validate=True), "<f4").astype(np.float32)
            else:
                found[index] = np.asarray(value, np.float32)
        except (KeyError, TypeError, ValueError) as error:
            raise wrong from error
        if found[index].ndim != 1:
            raise wrong
    return found
