"""Speaks OpenAI's embeddings API on this machine: `server.py PORT`, the key in the environment. See README.md."""

import base64
import hmac
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from faults import Faults
from model import Encoder

_MODELS = {"text-embedding-ada-002": 1536, "text-embedding-3-small": 1536, "text-embedding-3-large": 3072}
_SHORTENED = ("text-embedding-3-small", "text-embedding-3-large")
_MOST_TEXTS = 2048
_MOST_BYTES = 32 * 2**20


class Refused(Exception):
    def __init__(self, status, message, kind="invalid_request_error"):
        super().__init__(message)
        self.status, self.message, self.kind = status, message, kind


class Models:
    """One encoder, and a projection of its own for each model: other models must give other vectors."""

    def __init__(self):
        self._encoder = Encoder()
        self._projections = {name: _projection(seed, size) for seed, (name, size) in enumerate(_MODELS.items())}

    def embed(self, model, texts, dimensions):
        base, tokens = self._encoder.encode(texts)
        vectors = base @ self._projections[model]
        vectors = vectors[:, :dimensions]
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), tokens


def _projection(seed, size):
    """Random directions keep the angles between texts about as they are."""
    return np.random.default_rng(seed).standard_normal((384, size)).astype(np.float32)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    models: Models
    faults: Faults
    key: str

    def do_GET(self):
        if self.path == "/v1/models":
            names = [{"id": name, "object": "model", "owned_by": "sandbox"} for name in _MODELS]
            self._answer(lambda _: {"object": "list", "data": names})
        elif self.path == "/control":
            self._answer(lambda _: self.faults.told())
        else:
            self._answer(_unknown)

    def do_POST(self):
        routes = {"/v1/embeddings": self._embed, "/control": self.faults.plan}
        self._answer(routes.get(self.path, _unknown))

    def _answer(self, route):
        try:
            length = int(self.headers.get("Content-Length") or 0)
            if length > _MOST_BYTES:
                raise Refused(413, "the request is too large")
            body = self.rfile.read(length)
            given = (self.headers.get("Authorization") or "").encode()
            if not hmac.compare_digest(given, f"Bearer {self.key}".encode()):
                raise Refused(401, "Incorrect API key provided.", "invalid_api_key")
            status, headers, answer = 200, {}, route(json.loads(body or b"{}"))
            if isinstance(answer, tuple):
                status, headers, answer = answer
        except Refused as refused:
            status, headers = refused.status, {}
            answer = {"error": {"message": refused.message, "type": refused.kind}}
        except (ValueError, TypeError, AttributeError):
            status, headers, answer = 400, {}, {"error": {"message": "not understood", "type": "invalid_request_error"}}
        content = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _embed(self, request):
        model, texts, size = _read(request)
        fault = self.faults.next(model, len(texts))
        if fault is not None and "delayMs" in fault:
            time.sleep(fault["delayMs"] / 1000)
        if fault is not None and "status" in fault:
            headers = {"Retry-After": str(fault["retryAfter"])} if "retryAfter" in fault else {}
            return fault["status"], headers, {"error": {"message": "a fault that was asked for", "type": "server_error"}}
        vectors, tokens = self.models.embed(model, texts, size)
        if fault is not None and "dimension" in fault:
            vectors = vectors[:, : fault["dimension"]]
        packed = request.get("encoding_format") == "base64"
        data = [
            {"object": "embedding", "index": index, "embedding": _packed(vector) if packed else vector.tolist()}
            for index, vector in enumerate(vectors)
        ]
        self.faults.count(model, len(texts))
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return {"object": "list", "model": model, "data": data, "usage": usage}

    def log_message(self, *_):
        """Texts and keys do not belong into a log."""


def _read(request):
    model, texts = request.get("model"), request.get("input")
    if model not in _MODELS:
        raise Refused(404, "The model does not exist.", "model_not_found")
    texts = [texts] if isinstance(texts, str) else texts
    if not isinstance(texts, list) or not 0 < len(texts) <= _MOST_TEXTS:
        raise Refused(400, f"input takes a text or 1 to {_MOST_TEXTS} texts")
    if not all(isinstance(text, str) and text for text in texts):
        raise Refused(400, "input takes texts that are not empty")
    size = request.get("dimensions", _MODELS[model])
    if size != _MODELS[model] and model not in _SHORTENED:
        raise Refused(400, "This model does not support specifying dimensions.")
    if not isinstance(size, int) or not 0 < size <= _MODELS[model]:
        raise Refused(400, "dimensions is out of range")
    return model, texts, size


def _packed(vector):
    return base64.b64encode(vector.astype("<f4").tobytes()).decode()


def _unknown(_):
    raise Refused(404, "there is nothing here")


def main():
    Handler.models, Handler.faults, Handler.key = Models(), Faults(), os.environ["EMBEDDINGS_API_KEY"]
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    server.daemon_threads = True
    server.serve_forever()


if __name__ == "__main__":
    main()
