import asyncio

import pytest

from agents.net.directory import AgentEntry, CachedDirectory, DirectoryDown, DirectoryTimes
from agents.net.gate import RateLimiter
from agents.net.keys import public_key_of
from tests.unit.desk_cases import BUYER_KEY, SELLER_KEY, address_of

AGENT = address_of(SELLER_KEY)


class Registry:
    def __init__(self) -> None:
        self.entries = {AGENT: AgentEntry(public_key_of(SELLER_KEY), "http://127.0.0.1:1", True)}
        self.reads = 0
        self.is_down = False

    def find(self, agent: str) -> AgentEntry | None:
        self.reads += 1
        if self.is_down:
            raise ConnectionError("the node is gone")
        return self.entries.get(agent)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def directory(registry: Registry, clock: Clock) -> CachedDirectory:
    return CachedDirectory(registry, times=DirectoryTimes(fresh_s=3, unknown_s=1, stale_s=60), clock=clock)


def endpoint(directory: CachedDirectory, agent: str = AGENT) -> str | None:
    return asyncio.run(directory.endpoint(agent))


def move(registry: Registry, url: str, *, active: bool = True) -> None:
    registry.entries[AGENT] = AgentEntry(public_key_of(SELLER_KEY), url, active)


def test_an_answer_is_believed_for_a_short_time(directory: CachedDirectory, registry: Registry, clock: Clock) -> None:
    before = endpoint(directory)
    move(registry, "http://127.0.0.1:2")
    cached = endpoint(directory)
    clock.now = 3.0

    assert (before, cached, endpoint(directory)) == ("http://127.0.0.1:1", "http://127.0.0.1:1", "http://127.0.0.1:2")


def test_a_forgotten_agent_is_read_at_once(directory: CachedDirectory, registry: Registry) -> None:
    endpoint(directory)
    move(registry, "http://127.0.0.1:2/")

    directory.forget(AGENT)

    assert endpoint(directory) == "http://127.0.0.1:2"


def test_a_stranger_is_asked_for_once_a_second(directory: CachedDirectory, registry: Registry, clock: Clock) -> None:
    stranger = address_of(BUYER_KEY)

    answers = [asyncio.run(directory.is_active(stranger)) for _ in range(5)]
    clock.now = 1.0
    asyncio.run(directory.is_active(stranger))

    assert (answers, registry.reads) == ([False] * 5, 2)


def test_what_was_known_serves_while_the_registry_is_down(
    directory: CachedDirectory, registry: Registry, clock: Clock
) -> None:
    endpoint(directory)
    registry.is_down = True
    clock.now = 59.0
    assert endpoint(directory) == "http://127.0.0.1:1"

    clock.now = 61.0

    with pytest.raises(DirectoryDown):
        endpoint(directory)


def test_an_agent_that_was_switched_off_is_not_contacted(directory: CachedDirectory, registry: Registry) -> None:
    move(registry, "http://127.0.0.1:1", active=False)

    assert endpoint(directory) is None


def test_a_registry_that_gives_another_agents_key_is_not_believed(
    directory: CachedDirectory, registry: Registry
) -> None:
    registry.entries[AGENT] = AgentEntry(public_key_of(BUYER_KEY), "http://127.0.0.1:1", True)

    with pytest.raises(DirectoryDown):
        endpoint(directory)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org:80",
        "http://169.254.169.254/latest",
        "http://user:secret@127.0.0.1:1",
        "http://127.0.0.1.example.org",
        "file:///etc/passwd",
        "http://127.0.0.1:99999",
        "http://[::1",
        "",
    ],
)
def test_only_configured_hosts_may_be_contacted(directory: CachedDirectory, url: str) -> None:
    assert not directory.may_contact(url)


def test_an_operator_can_allow_a_host(registry: Registry) -> None:
    directory = CachedDirectory(registry, hosts=frozenset({"hospital.example"}))

    assert directory.may_contact("https://hospital.example:8443")
    assert not directory.may_contact("http://127.0.0.1:1")


def test_a_sender_gets_its_burst_and_then_its_rate() -> None:
    clock = Clock()
    limiter = RateLimiter(10.0, 5, clock)

    burst = [limiter.take("a") for _ in range(7)]
    other = limiter.take("b")
    clock.now = 0.25
    later = [limiter.take("a") for _ in range(4)]

    assert (burst, other, later) == ([True] * 5 + [False] * 2, True, [True, True, False, False])
