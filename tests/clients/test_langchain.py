"""LangChain's models: `HuggingFaceEndpoint` over TGI's API, `ChatOpenAI` and `OpenAI` over OpenAI's."""

import asyncio

import pytest
from langchain_core.prompts import ChatPromptTemplate
from langchain_huggingface import HuggingFaceEndpoint
from langchain_openai import ChatOpenAI, OpenAI

from conftest import CAP, SEED
from upstream import MODEL


@pytest.fixture
def endpoint(gateway):
    # LangChain would sample by `typical_p`, which only TGI has.
    return HuggingFaceEndpoint(
        endpoint_url=gateway,
        huggingfacehub_api_token="none",
        max_new_tokens=CAP,
        seed=SEED,
        typical_p=None,
        return_full_text=False,
        timeout=30,
    )


@pytest.fixture
def chat(gateway):
    return ChatOpenAI(base_url=gateway + "/v1", api_key="none", model=MODEL, max_tokens=CAP, seed=SEED, max_retries=0)


@pytest.fixture
def llm(gateway):
    return OpenAI(base_url=gateway + "/v1", api_key="none", model=MODEL, max_tokens=CAP, seed=SEED, max_retries=0)


def test_an_endpoint_is_invoked(endpoint, prompt, completion):
    assert endpoint.invoke(prompt) == completion.text


def test_an_endpoint_streams(endpoint, prompt, completion):
    assert "".join(endpoint.stream(prompt)) == completion.text


def test_an_endpoint_is_invoked_asynchronously(endpoint, prompt, completion):
    assert asyncio.run(endpoint.ainvoke(prompt)) == completion.text


def test_a_chat_is_invoked(chat, messages, answer):
    told = chat.invoke(messages)
    assert told.content == answer.text
    assert told.usage_metadata["output_tokens"] == answer.tokens


def test_a_chat_streams(chat, messages, answer):
    assert "".join(chunk.content for chunk in chat.stream(messages)) == answer.text


def test_a_chain_is_invoked(chat, messages, answer):
    template = ChatPromptTemplate.from_messages([("system", messages[0]["content"]), ("user", "{question}")])
    assert (template | chat).invoke({"question": messages[1]["content"]}).content == answer.text


def test_a_completion_is_invoked_and_streams(llm, prompt, completion):
    assert llm.invoke(prompt) == completion.text
    assert "".join(llm.stream(prompt)) == completion.text
