"""A schema file that somebody sent is refused in a sentence, whatever it holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.training.errors import DataError
from agents.training.schema import load_schema


@pytest.mark.parametrize("text", [b"name: 2026-13-45", b"name: " + b"[" * 20_000, b"\xff\xfe", b"a: *nowhere"])
def test_yaml_that_breaks_its_reader_is_refused(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "schema.yaml"
    path.write_bytes(text)

    with pytest.raises(DataError, match=r"schema\.yaml: cannot be read"):
        load_schema(path)
