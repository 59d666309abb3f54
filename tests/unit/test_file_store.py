"""A copy of a store may come from anybody: what lies in it is a file under its digest, or it is not there."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from governance.adapters import store as stores
from governance.adapters.store import FileStore
from governance.domain.record import sha256
from governance.errors import EvidenceMissing, StoreDamaged
from governance.services.audit.library import search
from governance.services.audit.report import Examination

DATA = b"the evidence"


def a_link(path: Path) -> None:
    beside = path.with_name("beside")
    beside.write_bytes(DATA)
    path.symlink_to(beside)


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def a_dangling_link(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere"))


@pytest.mark.parametrize("put", [a_link, a_pipe, a_device, a_dangling_link, Path.mkdir])
def test_what_is_no_file_is_not_in_the_store(tmp_path: Path, put: Callable[[Path], None]) -> None:
    store, files = FileStore(tmp_path), Examination("files of the store")
    put(store.path(sha256(DATA)))

    with pytest.raises(EvidenceMissing, match="is not in the store"):
        store.get(sha256(DATA))

    assert search(store, files).files == 0
    assert files.result().findings == ()


def test_a_file_without_end_is_read_to_the_bound_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FileStore(tmp_path)
    name = store.put(DATA)
    monkeypatch.setattr(stores, "MAX_BYTES", len(DATA))
    assert store.get(name) == DATA

    store.path(name).write_bytes(DATA * 2)

    with pytest.raises(StoreDamaged, match="larger than"):
        store.get(name)
