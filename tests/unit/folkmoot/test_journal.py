from __future__ import annotations

import json
import multiprocessing
import resource
from pathlib import Path

import pytest

from folkmoot.devnet import DevnetError
from folkmoot.devnet.journal import Journal, read_journal
from folkmoot.devnet.node import Block
from folkmoot.files import StorageError


def block(number: int, *, name: str = "a", transactions: tuple[str, ...] = ()) -> Block:
    return Block(number=number, timestamp_s=1000 + number, hash=f"0x{name}{number}", transactions=transactions)


def test_blocks_come_back_as_they_were_written(tmp_path: Path) -> None:
    blocks = [block(1), block(2, transactions=("0x01", "0x02")), block(3)]

    with Journal(tmp_path / "journal") as journal:
        journal.append(blocks[:1])
        journal.append(blocks[1:])

    assert read_journal(tmp_path / "journal") == blocks


@pytest.mark.parametrize("kept", range(1, 60, 7))
def test_a_torn_last_line_is_cut_at_any_byte(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "journal"
    with Journal(path) as journal:
        journal.append([block(1)])
    whole = path.read_bytes()
    path.write_bytes(whole + whole.replace(b'"n":1', b'"n":2')[:kept].rstrip(b"\n"))

    with Journal(path) as journal:
        journal.append([block(2)])

    assert read_journal(path) == [block(1), block(2)]


def test_a_rewound_chain_replaces_what_it_undid(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal") as journal:
        journal.append([block(1), block(2), block(3)])
        journal.append([block(2, name="b")])

    assert read_journal(tmp_path / "journal") == [block(1), block(2, name="b")]


def test_a_missing_block_is_reported_with_its_line(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal") as journal:
        journal.append([block(1), block(3)])

    with pytest.raises(DevnetError, match=r"line 2 .*block 3 after 1"):
        read_journal(tmp_path / "journal")


@pytest.mark.parametrize("line", ["{}", "[]", "null", '{"n":1,"t":"x","h":"","x":[]}', "\xff"])
def test_a_damaged_line_is_reported_with_its_number(tmp_path: Path, line: str) -> None:
    path = tmp_path / "journal"
    path.write_text(line + "\n" + json.dumps({"n": 2, "t": 1, "h": "0x", "x": []}) + "\n", encoding="latin-1")

    with pytest.raises(DevnetError, match="line 1 "):
        read_journal(path)


def test_a_full_disk_leaves_no_half_line(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    process = multiprocessing.get_context("spawn").Process(target=_fill, args=(path,))
    process.start()
    process.join(60)

    assert process.exitcode == 0
    assert path.read_bytes().endswith(b"\n")
    assert [each.number for each in read_journal(path)] == [1, 2]


def _fill(path: Path) -> None:
    with Journal(path) as journal:
        journal.append([block(1)])
        size = path.stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, resource.RLIM_INFINITY))
        with pytest.raises(StorageError, match="the disk is full"):
            journal.append([block(2)])
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        journal.append([block(2)])
