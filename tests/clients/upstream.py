"""The model server behind the gateway, asked directly and by no client library.

What it says here is what every client is to hear through the gateway.
"""

import contextlib
import dataclasses
import json
import time
import urllib.request

MODEL = "qwen2"


@dataclasses.dataclass(frozen=True)
class Told:
    """An answer as the model server itself gives it."""

    text: str
    tokens: int
    # In TGI's words: length, eos_token or stop_sequence.
    finish: str


class Upstream:
    """A stub that speaks `tgi` or `openai`."""

    def __init__(self, url, protocol):
        self.url = url
        self.protocol = protocol

    def completion(self, prompt, max_tokens, seed=None, stop=()):
        """Continues a prompt."""
        if self.protocol == "tgi":
            parameters = {"max_new_tokens": max_tokens, "seed": seed, "stop": list(stop), "details": True}
            answer = self._post("/generate", {"inputs": prompt, "parameters": parameters})
            details = answer["details"]
            return Told(answer["generated_text"], details["generated_tokens"], details["finish_reason"])
        body = {"model": MODEL, "prompt": prompt, "max_tokens": max_tokens, "seed": seed, "stop": list(stop)}
        answer = self._post("/v1/completions", body)
        return self._told(answer, answer["choices"][0]["text"])

    def chat(self, messages, max_tokens, seed=None):
        """Answers a conversation."""
        body = {"model": MODEL, "messages": messages, "max_tokens": max_tokens, "seed": seed}
        answer = self._post("/v1/chat/completions", body)
        return self._told(answer, answer["choices"][0]["message"]["content"])

    @contextlib.contextmanager
    def failing(self, **fault):
        """Lets something go wrong while the block runs."""
        self._post("/_fault", fault)
        try:
            yield
        finally:
            self._call(urllib.request.Request(self.url + "/_fault", method="DELETE"))

    def stats(self):
        """Its counters."""
        return json.loads(self._call(urllib.request.Request(self.url + "/_stats")))

    def until(self, condition, limit=20):
        """Waits until the counters are as `condition` wants them."""
        deadline = time.monotonic() + limit
        while not condition(stats := self.stats()):
            assert time.monotonic() < deadline, f"still {stats}"
            time.sleep(0.01)

    def _told(self, answer, text):
        choice = answer["choices"][0]
        finish = choice["finish_reason"]
        if finish == "stop":
            finish = "stop_sequence" if choice.get("stop_reason") else "eos_token"
        return Told(text, answer["usage"]["completion_tokens"], finish)

    def _post(self, path, body):
        data = json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        return json.loads(self._call(urllib.request.Request(self.url + path, data, headers)))

    def _call(self, request):
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()
