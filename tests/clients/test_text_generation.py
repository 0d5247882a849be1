"""`text_generation.Client` and `AsyncClient`, TGI's own, which call `POST /`."""

import asyncio

import pytest
from text_generation import AsyncClient, Client
from text_generation.errors import OverloadedError, ValidationError

from conftest import CAP, SEED
from upstream import MODEL

ASKED = {"max_new_tokens": CAP, "seed": SEED}


@pytest.fixture
def client(gateway):
    return Client(gateway, timeout=30)


def text_of(events):
    return "".join(event.token.text for event in events if not event.token.special)


def test_generate_tells_what_the_upstream_does(client, prompt, completion):
    answer = client.generate(prompt, **ASKED)
    assert answer.generated_text == completion.text
    assert answer.details.generated_tokens == completion.tokens
    assert answer.details.finish_reason == completion.finish


def test_generate_stream_tells_the_same_text(client, prompt, completion):
    events = list(client.generate_stream(prompt, **ASKED))
    assert text_of(events) == completion.text
    assert events[-1].generated_text == completion.text
    assert events[-1].details.generated_tokens == completion.tokens
    assert events[-1].details.finish_reason == completion.finish


def test_a_chat_is_answered_as_by_the_upstream(client, speaks_tgi, messages, answer):
    # Streamed chats it cannot read at all: it wants `tool_calls` in each chunk.
    if not speaks_tgi:
        pytest.skip("this client wants TGI's `system_fingerprint` in an answer")
    told = client.chat(messages=messages, max_tokens=CAP, seed=SEED)
    assert told.choices[0].message.content == answer.text


def test_the_asynchronous_client_hears_the_same(gateway, prompt, completion):
    async def ask():
        client = AsyncClient(gateway, timeout=30)
        whole = await client.generate(prompt, **ASKED)
        events = [event async for event in client.generate_stream(prompt, **ASKED)]
        return whole.generated_text, text_of(events)

    assert asyncio.run(ask()) == (completion.text, completion.text)


def test_what_is_too_long_is_an_error_of_validation(client):
    with pytest.raises(ValidationError):
        client.generate("abcd" * 9_000, **ASKED)


def test_overload_is_told_as_such_whole_and_streamed(client, upstream):
    with upstream.failing(kind="refuse"):
        with pytest.raises(OverloadedError):
            client.generate("hi", **ASKED)
        with pytest.raises(OverloadedError):
            list(client.generate_stream("hi", **ASKED))


def test_a_model_may_be_named_by_header(gateway, prompt, completion):
    client = Client(gateway, headers={"x-model-id": MODEL}, timeout=30)
    assert client.generate(prompt, **ASKED).generated_text == completion.text
