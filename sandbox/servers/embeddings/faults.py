"""What a test wants to go wrong, and what was asked for so far."""

import threading
from collections import Counter

_KNOWN = {"status", "retryAfter", "dimension", "delayMs"}


class Faults:
    """Faults are used up in order, one a request; requests and texts are counted by model."""

    def __init__(self):
        self._lock = threading.Lock()
        self._waiting = []
        self._after = 0
        self._requests, self._texts, self._embedded = Counter(), Counter(), Counter()

    def plan(self, request):
        """`{"faults": [{…, "count": 3}], "after": 2}`: replaces what was planned; begins after so many good requests."""
        planned = []
        for fault in request["faults"]:
            count = int(fault.get("count", 1))
            rest = {name: value for name, value in fault.items() if name != "count"}
            if not set(rest) <= _KNOWN or not 0 < count <= 100_000:
                raise ValueError("unknown fault")
            planned.extend([rest] * count)
        with self._lock:
            self._waiting = planned
            self._after = int(request.get("after", 0))
        return self.told()

    def next(self, model, texts):
        with self._lock:
            self._requests[model] += 1
            self._texts[model] += texts
            if self._waiting and self._after > 0:
                self._after -= 1
                return None
            return self._waiting.pop(0) if self._waiting else None

    def count(self, model, texts):
        with self._lock:
            self._embedded[model] += texts

    def told(self):
        with self._lock:
            return {
                "waiting": len(self._waiting),
                "requests": dict(self._requests),
                "texts": dict(self._texts),
                "embedded": dict(self._embedded),
            }
