"""One told story for all tests of the audit, and a proxy that lies about it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.audit_runs import Reading
from tests.audit_story import Story, running_story
from tests.lying_proxy import LyingProxy


@pytest.fixture(scope="package")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with running_story(tmp_path_factory.mktemp("story")) as told:
        yield told


@pytest.fixture(scope="package")
def once(story: Story) -> Reading:
    """The story, read once."""
    return Reading.of(story)


@pytest.fixture(scope="package")
def proxy(story: Story) -> Iterator[LyingProxy]:
    """Between the auditor and the node; honest until a test gives it a lie."""
    with LyingProxy(story.rpc) as between:
        yield between
