"""A stream whose budget is used up: each library reads its end without error."""

import time

import openai
import pytest
from huggingface_hub import InferenceClient
from text_generation import Client

# The model with a budget: 150 tokens a second.
METERED = "metered"
BUDGET = 150
ASKED = 1000
# The stub has so much to say.
LONG = {"x-sim-out": str(ASKED)}
MESSAGES = [{"role": "user", "content": "hi"}]


@pytest.fixture(autouse=True)
def rested(speaks_tgi):
    """The whole budget is there again."""
    if not speaks_tgi:
        pytest.skip("a server of this kind knows its own model only, and no second name for it")
    time.sleep(1.5)


@pytest.fixture
def metered(gateway):
    return f"{gateway}/models/{METERED}"


def was_stopped(tokens):
    return BUDGET / 2 < tokens < ASKED / 2


def test_openai_chat(gateway):
    client = openai.OpenAI(base_url=gateway + "/v1", api_key="none", max_retries=0, timeout=30)
    asked = {"model": METERED, "messages": MESSAGES, "max_tokens": ASKED, "stream": True}
    stream = client.chat.completions.create(
        **asked, stream_options={"include_usage": True}, extra_headers=LONG
    )
    *chunks, cost = list(stream)
    assert chunks[-1].choices[0].finish_reason == "length"
    assert all(chunk.choices[0].finish_reason is None for chunk in chunks[:-1])
    assert was_stopped(cost.usage.completion_tokens)
    assert cost.usage.completion_tokens == len(chunks) - 1


def test_openai_says_what_is_left_and_when_to_come_back(gateway):
    client = openai.OpenAI(base_url=gateway + "/v1", api_key="none", max_retries=0, timeout=30)
    asked = {"model": METERED, "messages": MESSAGES, "max_tokens": 100}
    told = client.chat.completions.with_raw_response.create(**asked)
    assert told.headers["x-ratelimit-limit-tokens"] == str(BUDGET)
    assert int(told.headers["x-ratelimit-remaining-tokens"]) < BUDGET
    with pytest.raises(openai.RateLimitError) as refused:
        for _ in range(10):
            client.chat.completions.create(**asked)
    assert refused.value.code == "rate_limit_exceeded"
    assert int(refused.value.response.headers["retry-after"]) >= 1


def test_text_generation(metered):
    events = list(Client(metered, headers=LONG, timeout=30).generate_stream("hi", max_new_tokens=ASKED))
    *tokens, last = events
    assert last.details.finish_reason == "length"
    assert was_stopped(last.details.generated_tokens)
    assert last.generated_text == "".join(event.token.text for event in tokens)


def test_huggingface_hub_text(metered):
    client = InferenceClient(base_url=metered, headers=LONG, timeout=30)
    events = list(client.text_generation("hi", stream=True, details=True, max_new_tokens=ASKED, return_full_text=False))
    assert events[-1].details.finish_reason == "length"
    assert was_stopped(events[-1].details.generated_tokens)
    assert events[-1].generated_text == "".join(event.token.text for event in events[:-1])


def test_huggingface_hub_chat(gateway):
    client = InferenceClient(base_url=gateway, headers=LONG, timeout=30)
    chunks = list(client.chat_completion(MESSAGES, model=METERED, max_tokens=ASKED, stream=True))
    assert chunks[-1].choices[0].finish_reason == "length"
    assert was_stopped(len(chunks))
