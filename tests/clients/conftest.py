"""What all clients are run against, named on the command line:

    pytest tests/clients --gateway URL --upstream URL --protocol tgi

Every request has a seed, and the stub's words follow from prompt and seed
alone, so that what is told directly and through the gateway can be compared.
"""

import pytest

from upstream import MODEL, Upstream

# The model's words are in several scripts whatever it is asked; so are these.
PROMPTS = ["What is a headworks?", "Ein Gedicht über Zürich, bitte", "五つの川の名前は？ 🙂\n\"\\u0041\""]
CAP = 48
SEED = 7


def pytest_addoption(parser):
    parser.addoption("--gateway", required=True, help="where the gateway listens for clients")
    parser.addoption("--upstream", required=True, help="the stub in the gateway's only pool")
    parser.addoption("--protocol", required=True, choices=["tgi", "openai"], help="what the stub speaks")


def pytest_report_header(config):
    option = config.getoption
    return f"gateway {option('--gateway')}, {option('--protocol')} upstream {option('--upstream')}"


@pytest.fixture(scope="session")
def gateway(pytestconfig):
    return pytestconfig.getoption("--gateway")


@pytest.fixture(scope="session")
def upstream(pytestconfig):
    return Upstream(pytestconfig.getoption("--upstream"), pytestconfig.getoption("--protocol"))


@pytest.fixture(scope="session")
def speaks_tgi(upstream):
    """The upstream itself understands TGI's clients."""
    return upstream.protocol == "tgi"


@pytest.fixture(params=PROMPTS, ids=["ascii", "latin", "japanese"])
def prompt(request):
    return request.param


@pytest.fixture
def messages(prompt):
    return [{"role": "system", "content": "Sei höflich 🙂"}, {"role": "user", "content": prompt}]


@pytest.fixture
def completion(upstream, prompt):
    """What the upstream says to the prompt."""
    told = upstream.completion(prompt, CAP, SEED)
    assert told.text.startswith(f"[{MODEL}]") and not told.text.isascii()
    return told


@pytest.fixture
def answer(upstream, messages):
    """What the upstream says to the conversation."""
    told = upstream.chat(messages, CAP, SEED)
    assert told.text.startswith(f"[{MODEL}]") and not told.text.isascii()
    return told
