"""Private names of uagents 0.26.1 that agents.net relies on; a release that moves one must fail here."""

import hashlib
import inspect
import subprocess
import sys
import uuid
from importlib.metadata import version

import uagents.agent
from uagents import Agent
from uagents.asgi import ASGIServer
from uagents.communication import Dispenser
from uagents_core.envelope import Envelope
from uvicorn import Server


def test_the_pinned_version_is_installed() -> None:
    assert version("uagents") == "0.26.1"


def test_the_names_that_we_replace_exist() -> None:
    for name in ("get_almanac_contract", "get_ledger", "KeyValueStore"):
        assert hasattr(uagents.agent, name)
    source = inspect.getsource(Agent.__init__)
    for name in ("get_ledger(", "get_almanac_contract(", "KeyValueStore(", "_initialize_wallet_and_identity("):
        assert name in source
    for name in ("_dispenser", "_server", "_message_queue", "_models", "_logger", "_message_queue_task"):
        assert f"self.{name}" in source


def test_the_methods_that_we_override_have_their_signatures() -> None:
    def names(function: object) -> list[str]:
        return list(inspect.signature(function).parameters)  # type: ignore[arg-type]

    assert names(Agent._process_single_message) == ["self", "schema_digest", "sender", "message", "session"]
    assert names(Agent._update_agent_status) == ["self", "active"]
    assert names(Agent.handle_message) == ["self", "sender", "schema_digest", "message", "session"]
    assert names(Agent.setup) == ["self"]
    assert names(Dispenser.add_envelope) == ["self", "envelope", "endpoints", "response_future", "sync"]
    assert names(ASGIServer.__init__) == ["self", "port", "loop", "queries", "logger"]
    assert names(Server.capture_signals) == ["self"]


def test_the_digest_of_an_envelope_covers_what_we_judge() -> None:
    envelope = Envelope(
        version=1,
        sender="agent1a",
        target="agent1b",
        session=uuid.UUID("12345678-1234-4234-9234-123456789012"),
        schema_digest="model:0",
        payload="cGF5bG9hZA==",
        expires=1,
    )
    signed = b"agent1aagent1b12345678-1234-4234-9234-123456789012model:0cGF5bG9hZA==" + (1).to_bytes(8, "big")

    assert envelope._digest() == hashlib.sha256(signed).digest()


def test_an_agents_parent_starts_without_heavy_libraries() -> None:
    modules = "agents.net.post, agents.net.sealed, agents.net.lock, agents.net.artifacts, agents.protocols.dealing"
    heavy = "('sklearn', 'web3', 'numpy', 'pandas', 'langchain', 'streamlit')"
    program = f"import sys, {modules}; print([name for name in {heavy} if name in sys.modules])"

    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"
