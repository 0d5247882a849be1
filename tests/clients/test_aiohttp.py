"""`aiohttp`, as one calls the APIs without a client library."""

import asyncio
import json

import aiohttp
import pytest

from conftest import CAP, SEED
from upstream import MODEL

PARAMETERS = {"max_new_tokens": CAP, "seed": SEED}


def post(gateway, path, body, **more):
    """The answer's status, headers and text."""

    async def ask():
        async with aiohttp.ClientSession() as session, session.post(gateway + path, json=body, **more) as answer:
            return answer.status, answer.headers, await answer.text()

    return asyncio.run(ask())


def whole(gateway, path, body, **more):
    status, _, text = post(gateway, path, body, **more)
    assert status == 200, text
    return json.loads(text)


def stream(gateway, path, body):
    status, headers, text = post(gateway, path, body)
    assert (status, headers["content-type"].split(";")[0]) == (200, "text/event-stream"), text
    lines = [line for line in text.split("\n") if line.startswith("data:")]
    return [json.loads(line.removeprefix("data:")) for line in lines]


def text_of(events):
    return "".join(event["token"]["text"] for event in events if not event["token"]["special"])


def unified(prompt, **more):
    return {"model_id": MODEL, "inputs": prompt, "parameters": PARAMETERS, **more}


def test_the_unified_api_names_the_model_and_the_usage(gateway, prompt, completion):
    answer = whole(gateway, "/v1/generate", unified(prompt, scenario="chat"))
    assert answer["generated_text"] == completion.text
    assert answer["model_id"] == MODEL
    usage = answer["usage"]
    assert usage["completion_tokens"] == completion.tokens
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_the_unified_api_streams(gateway, prompt, completion):
    events = stream(gateway, "/v1/generate", unified(prompt, stream=True))
    assert text_of(events) == completion.text
    assert events[-1]["generated_text"] == completion.text


def test_generate_answers_as_the_upstream(gateway, prompt, completion):
    answer = whole(gateway, "/generate", {"inputs": prompt, "parameters": PARAMETERS | {"details": True}})
    assert answer["generated_text"] == completion.text
    assert answer["details"]["generated_tokens"] == completion.tokens
    assert answer["details"]["finish_reason"] == completion.finish


def test_generate_stream_tells_the_same_text(gateway, prompt, completion):
    events = stream(gateway, "/generate_stream", {"inputs": prompt, "parameters": PARAMETERS})
    assert text_of(events) == completion.text
    assert events[-1]["generated_text"] == completion.text
    assert [event["index"] for event in events] == list(range(1, len(events) + 1))


def test_the_root_answers_a_list_of_one(gateway, prompt, completion):
    answer = whole(gateway, "/", {"inputs": prompt, "parameters": PARAMETERS | {"return_full_text": False}})
    assert [one["generated_text"] for one in answer] == [completion.text]


def test_the_bytes_are_those_of_the_upstream(gateway, upstream, speaks_tgi, prompt):
    if not speaks_tgi:
        pytest.skip("only a TGI has these routes")
    body = {"inputs": prompt, "parameters": PARAMETERS | {"details": True}}
    for path in ["/generate", "/generate_stream", "/"]:
        assert post(gateway, path, body)[2] == post(upstream.url, path, body)[2]


def test_a_large_prompt_comes_through(gateway, upstream):
    prompt = "Zürich 東京 🙂 " * 1_000
    told = upstream.completion(prompt, CAP, SEED)
    assert whole(gateway, "/v1/generate", unified(prompt))["generated_text"] == told.text


def test_many_at_once_each_get_their_own(gateway, upstream):
    prompts = [f"Number {number}, ehrlich über 数" for number in range(12)]
    told = [upstream.completion(prompt, CAP, SEED).text for prompt in prompts]

    async def ask_all():
        async with aiohttp.ClientSession() as session:

            async def ask(prompt):
                async with session.post(gateway + "/v1/generate", json=unified(prompt)) as answer:
                    return (await answer.json())["generated_text"]

            return await asyncio.gather(*map(ask, prompts))

    assert asyncio.run(ask_all()) == told


@pytest.mark.parametrize("path", ["/v1/generate", "/generate"])
def test_errors_have_tgis_form(gateway, path):
    status, headers, text = post(gateway, path, {"parameters": PARAMETERS})
    assert status == 422 and headers["content-type"] == "application/json"
    assert json.loads(text)["error_type"] == "validation"


def test_an_unknown_model_is_not_found(gateway):
    status, _, text = post(gateway, "/v1/generate", {"model_id": "gpt-4", "inputs": "hi"})
    assert (status, json.loads(text)["error_type"]) == (404, "model_not_found")


def test_overload_is_a_429(gateway, upstream):
    with upstream.failing(kind="refuse"):
        status, _, text = post(gateway, "/v1/generate", unified("hi"))
    assert (status, json.loads(text)["error_type"]) == (429, "overloaded")


def test_leaving_a_stream_stops_the_upstream(gateway, upstream):
    before = upstream.stats()["cancelled"]
    body = unified("hi", stream=True) | {"parameters": {"max_new_tokens": 2000}}

    async def leave():
        async with aiohttp.ClientSession() as session:
            answer = await session.post(gateway + "/v1/generate", json=body)
            assert (await answer.content.readline()).startswith(b"data:")
            answer.close()

    with upstream.failing(kind="slow", factor=40):
        asyncio.run(leave())
        upstream.until(lambda stats: stats["cancelled"] == before + 1 and stats["running"] == 0)
