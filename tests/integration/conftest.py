import pytest

from tests.integration.policy_probe import deployed_probe


@pytest.fixture(scope="module")
def probe(shared_devnet):
    yield from deployed_probe(shared_devnet)
