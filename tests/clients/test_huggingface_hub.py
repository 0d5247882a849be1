"""`huggingface_hub.InferenceClient`, which calls TGI's `POST /` and OpenAI's chat."""

import asyncio

import pytest
from huggingface_hub import AsyncInferenceClient, InferenceClient
from huggingface_hub.errors import HfHubHTTPError, OverloadedError
from huggingface_hub.errors import ValidationError as HfValidationError

from conftest import CAP, SEED
from upstream import MODEL

ASKED = {"max_new_tokens": CAP, "seed": SEED, "return_full_text": False}
CHAT = {"max_tokens": CAP, "seed": SEED, "model": MODEL}


@pytest.fixture
def client(gateway):
    return InferenceClient(base_url=gateway, timeout=30)


def test_text_is_that_of_the_upstream(client, prompt, completion):
    assert client.text_generation(prompt, **ASKED) == completion.text


def test_details_count_what_was_told(client, prompt, completion):
    answer = client.text_generation(prompt, details=True, **ASKED)
    assert answer.generated_text == completion.text
    assert answer.details.generated_tokens == completion.tokens
    assert answer.details.finish_reason == completion.finish


def test_details_list_the_tokens(client, prompt, completion):
    answer = client.text_generation(prompt, details=True, **ASKED)
    assert "".join(token.text for token in answer.details.tokens if not token.special) == completion.text


def test_a_stream_tells_the_same_text(client, prompt, completion):
    assert "".join(client.text_generation(prompt, stream=True, **ASKED)) == completion.text


def test_a_stream_with_details_ends_with_them(client, prompt, completion):
    events = list(client.text_generation(prompt, stream=True, details=True, **ASKED))
    assert "".join(event.token.text for event in events if not event.token.special) == completion.text
    assert all(event.generated_text is None for event in events[:-1])
    assert events[-1].generated_text == completion.text
    assert events[-1].details.generated_tokens == completion.tokens
    assert events[-1].details.finish_reason == completion.finish


def test_the_full_text_begins_with_the_prompt(client, prompt, completion):
    asked = ASKED | {"return_full_text": True}
    assert client.text_generation(prompt, **asked) == prompt + completion.text


def test_an_answer_that_ends_by_itself_says_so(client, upstream):
    told = upstream.completion("Say yes", 2000, SEED)
    assert told.finish == "eos_token"
    answer = client.text_generation("Say yes", max_new_tokens=2000, seed=SEED, details=True, return_full_text=False)
    assert (answer.generated_text, answer.details.finish_reason) == (told.text, "eos_token")


def test_a_stop_sequence_ends_the_answer(client, upstream, prompt, completion):
    stop = " " + completion.text.split(" ")[3]
    told = upstream.completion(prompt, CAP, SEED, [stop])
    assert told.finish == "stop_sequence"
    answer = client.text_generation(prompt, stop=[stop], details=True, **ASKED)
    # vLLM leaves the sequence out, TGI does not.
    assert answer.generated_text.removesuffix(stop) == told.text.removesuffix(stop)
    assert answer.details.finish_reason == "stop_sequence"


def test_all_is_as_if_the_upstream_had_been_asked(client, upstream, speaks_tgi, prompt):
    if not speaks_tgi:
        pytest.skip("only a TGI can be asked by this client directly")
    direct = InferenceClient(base_url=upstream.url, timeout=30)
    for more in [{}, {"top_n_tokens": 2, "decoder_input_details": True}, {"do_sample": True, "temperature": 0.7}]:
        asked = ASKED | more
        assert client.text_generation(prompt, details=True, **asked) == direct.text_generation(
            prompt, details=True, **asked
        )
    streams = [list(one.text_generation(prompt, stream=True, details=True, **ASKED)) for one in (client, direct)]
    assert streams[0] == streams[1]


def test_a_chat_is_answered_as_by_the_upstream(client, messages, answer):
    told = client.chat_completion(messages, **CHAT)
    assert told.choices[0].message.content == answer.text
    assert told.usage.completion_tokens == answer.tokens


def test_a_chat_stream_tells_the_same_text(client, messages, answer):
    chunks = list(client.chat_completion(messages, stream=True, **CHAT))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == answer.text


def test_the_asynchronous_client_hears_the_same(gateway, prompt, completion, messages, answer):
    async def ask():
        client = AsyncInferenceClient(base_url=gateway, timeout=30)
        whole = await client.text_generation(prompt, **ASKED)
        parts = [part async for part in await client.text_generation(prompt, stream=True, **ASKED)]
        chat = await client.chat_completion(messages, **CHAT)
        return whole, "".join(parts), chat.choices[0].message.content

    assert asyncio.run(ask()) == (completion.text, completion.text, answer.text)


def test_a_chat_that_names_no_model_is_answered_too(client, messages, answer):
    told = client.chat_completion(messages, max_tokens=CAP, seed=SEED)
    assert told.choices[0].message.content == answer.text


def test_what_cannot_be_is_an_error_of_validation(client):
    with pytest.raises(HfValidationError):
        client.text_generation("hi", max_new_tokens=0)


def test_overload_is_told_as_such(client, upstream):
    with upstream.failing(kind="refuse"), pytest.raises(OverloadedError):
        client.text_generation("hi", **ASKED)


def test_an_unknown_model_is_not_found(client):
    with pytest.raises(HfHubHTTPError) as caught:
        client.chat_completion([{"role": "user", "content": "hi"}], model="gpt-4")
    assert caught.value.response.status_code == 404
