"""`openai.OpenAI`: chat and completions, whole and streamed, and its errors."""

import asyncio

import openai
import pytest

from conftest import CAP, SEED
from upstream import MODEL

ASKED = {"model": MODEL, "max_tokens": CAP, "seed": SEED}
# From TGI's words to OpenAI's.
FINISHES = {"length": "length", "eos_token": "stop", "stop_sequence": "stop"}
HI = [{"role": "user", "content": "hi"}]


def client_of(url):
    return openai.OpenAI(base_url=url + "/v1", api_key="none", max_retries=0, timeout=30)


@pytest.fixture
def client(gateway):
    return client_of(gateway)


@pytest.fixture
def direct(upstream):
    return client_of(upstream.url)


def without_identity(answer):
    """What two answers to the same request have in common."""
    return answer.model_dump(exclude={"id", "created"})


def test_a_chat_is_answered_as_by_the_upstream(client, direct, messages, answer):
    told = client.chat.completions.create(messages=messages, **ASKED)
    assert told.choices[0].message.content == answer.text
    assert told.usage.completion_tokens == answer.tokens
    assert told.choices[0].finish_reason == FINISHES[answer.finish]
    assert without_identity(told) == without_identity(direct.chat.completions.create(messages=messages, **ASKED))


def test_a_chat_stream_tells_the_same_text(client, messages, answer):
    chunks = list(client.chat.completions.create(messages=messages, stream=True, **ASKED))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == answer.text
    assert chunks[-1].choices[0].finish_reason == FINISHES[answer.finish]
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk.id for chunk in chunks}) == 1
    assert all(chunk.usage is None for chunk in chunks)


def test_a_chat_stream_ends_with_the_usage_where_asked(client, direct, messages, answer):
    asked = ASKED | {"messages": messages, "stream": True, "stream_options": {"include_usage": True}}
    *chunks, last = client.chat.completions.create(**asked)
    assert last.choices == []
    assert last.usage.completion_tokens == answer.tokens
    assert last.usage.total_tokens == last.usage.prompt_tokens + answer.tokens
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == answer.text
    expected = [without_identity(chunk) for chunk in direct.chat.completions.create(**asked)]
    assert [without_identity(chunk) for chunk in [*chunks, last]] == expected


def test_a_completion_is_that_of_the_upstream(client, direct, prompt, completion):
    told = client.completions.create(prompt=prompt, **ASKED)
    assert told.choices[0].text == completion.text
    assert told.usage.completion_tokens == completion.tokens
    assert without_identity(told) == without_identity(direct.completions.create(prompt=prompt, **ASKED))


def test_a_completion_stream_tells_the_same_text(client, prompt, completion):
    chunks = list(client.completions.create(prompt=prompt, stream=True, **ASKED))
    assert "".join(chunk.choices[0].text for chunk in chunks) == completion.text
    assert chunks[-1].choices[0].finish_reason == FINISHES[completion.finish]


def test_a_completion_stream_tells_the_usage_where_asked(client, prompt, completion):
    options = {"include_usage": True}
    chunks = list(client.completions.create(prompt=prompt, stream=True, stream_options=options, **ASKED))
    told = [choice.text for chunk in chunks for choice in chunk.choices]
    assert "".join(told) == completion.text
    assert chunks[-1].usage.completion_tokens == completion.tokens


def test_several_prompts_are_answered_in_order(client, direct):
    prompts = ["eins", "deux", "三つ"]
    told = [one.completions.create(prompt=prompts, **ASKED).choices for one in (client, direct)]
    assert [choice.text for choice in told[0]] == [choice.text for choice in told[1]]
    assert [choice.index for choice in told[0]] == [0, 1, 2]


def test_log_probabilities_come_through(client, direct, messages):
    asked = ASKED | {"messages": messages, "logprobs": True, "top_logprobs": 2}
    told = [one.chat.completions.create(**asked).choices[0].logprobs for one in (client, direct)]
    assert told[0] is not None and told[0] == told[1]


def test_an_answer_that_ends_by_itself_stops(client, upstream):
    told = upstream.completion("Say yes", 2000, SEED)
    asked = ASKED | {"max_tokens": 2000}
    answer = client.completions.create(prompt="Say yes", **asked).choices[0]
    assert (answer.text, answer.finish_reason) == (told.text, "stop")


def test_a_stop_string_ends_the_answer(client, upstream, prompt, completion):
    stop = " " + completion.text.split(" ")[3]
    told = upstream.completion(prompt, CAP, SEED, [stop])
    for stops in ([stop], stop):
        choice = client.completions.create(prompt=prompt, stop=stops, **ASKED).choices[0]
        # TGI tells the string, vLLM does not.
        assert choice.text.removesuffix(stop) == told.text.removesuffix(stop)
        assert choice.finish_reason == "stop"


def test_the_models_are_listed(client):
    assert MODEL in [model.id for model in client.models.list()]


def test_the_asynchronous_client_hears_the_same(gateway, messages, answer):
    async def ask():
        async with openai.AsyncOpenAI(base_url=gateway + "/v1", api_key="none", timeout=30) as client:
            whole = await client.chat.completions.create(messages=messages, **ASKED)
            stream = await client.chat.completions.create(messages=messages, stream=True, **ASKED)
            parts = [chunk.choices[0].delta.content or "" async for chunk in stream]
            return whole.choices[0].message.content, "".join(parts)

    assert asyncio.run(ask()) == (answer.text, answer.text)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_an_unknown_model_is_not_found(client, stream):
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="gpt-4", messages=HI, stream=stream)
    assert "gpt-4" in caught.value.body["message"]


def test_what_is_too_long_is_the_clients_fault(client):
    with pytest.raises(openai.APIStatusError) as caught:
        client.completions.create(prompt="abcd" * 9_000, **ASKED)
    assert caught.value.status_code in (400, 422)
    assert "9000" in caught.value.response.text


def test_a_refusal_is_told_in_openais_form(client):
    with pytest.raises(openai.APIStatusError) as caught:
        client.completions.create(prompt="abcd" * 9_000, **ASKED)
    # The client takes the message out of `error`, if it is an object.
    assert "9000" in caught.value.body["message"]


def test_a_body_of_the_wrong_shape_is_the_clients_fault(client):
    with pytest.raises(openai.APIStatusError) as caught:
        client.completions.create(prompt="hi", model=MODEL, extra_body={"max_tokens": "many"})
    assert caught.value.status_code in (400, 422)


def test_overload_is_a_rate_limit(client, upstream):
    with upstream.failing(kind="refuse"), pytest.raises(openai.RateLimitError):
        client.chat.completions.create(messages=HI, **ASKED)


def test_overload_is_an_error_of_a_stream_too(client, upstream):
    with upstream.failing(kind="refuse"), pytest.raises(openai.APIError):
        list(client.chat.completions.create(messages=HI, stream=True, **ASKED))


def test_a_failing_upstream_is_a_server_error(client, upstream):
    with upstream.failing(kind="status", status=503), pytest.raises(openai.InternalServerError):
        client.chat.completions.create(messages=HI, **ASKED)


def test_a_stream_that_fails_in_the_middle_says_so(client, upstream):
    told = []
    with upstream.failing(kind="error_event", tokens=3), pytest.raises(openai.APIError):
        for chunk in client.chat.completions.create(messages=HI, stream=True, **ASKED):
            told.append(chunk)
    assert len(told) >= 3


def test_closing_a_stream_stops_the_upstream(client, upstream):
    before = upstream.stats()["cancelled"]
    asked = ASKED | {"max_tokens": 2000}
    with upstream.failing(kind="slow", factor=40):
        stream = client.chat.completions.create(messages=HI, stream=True, **asked)
        assert next(iter(stream)).choices
        stream.close()
        upstream.until(lambda stats: stats["cancelled"] == before + 1 and stats["running"] == 0)
