"""What a founding file may not say about the guardian, before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from eth_utils.address import to_checksum_address

from folkmoot.deploying import FileJournal
from folkmoot.founding_file import FoundingUnusable, read_founding
from governance.errors import DeploymentRefused


def address(number: int) -> str:
    return str(to_checksum_address(f"0x{number:040x}"))


GUARDIAN, SECOND_MEMBER, SECOND_OPERATOR = address(0x6A), address(0xB1), address(0xB2)


def founding(folder: Path, **changes: object) -> Path:
    fields: dict[str, object] = {
        "organisations": [
            {"name": "Ashford Hospital", "member": address(0xA1), "operator": address(0xA2)},
            {"name": "Laboratory A", "member": SECOND_MEMBER, "operator": SECOND_OPERATOR},
        ],
        "panel": ["Laboratory A"],
        "guardian": GUARDIAN,
        "credit": {"treasury": address(0xA2), "supply": 1_000},
    }
    path = folder / "founding.yaml"
    path.write_text(yaml.safe_dump({name: value for name, value in (fields | changes).items() if value is not None}))
    return path


def test_a_guardian_of_no_organisation_is_taken(tmp_path: Path) -> None:
    assert read_founding(founding(tmp_path)).founding.guardian == GUARDIAN


@pytest.mark.parametrize(
    ("key", "whose"),
    [
        (SECOND_MEMBER, "the member of organisation 2, Laboratory A"),
        (SECOND_OPERATOR, "the operator of organisation 2, Laboratory A"),
        (address(0xA1).lower(), "the member of organisation 1, Ashford Hospital"),
    ],
)
def test_threat_18_a_founders_key_is_refused_as_the_guardian(tmp_path: Path, key: str, whose: str) -> None:
    with pytest.raises(FoundingUnusable) as refusal:
        read_founding(founding(tmp_path, guardian=key))

    said = str(refusal.value)
    assert f"founding.yaml: guardian {to_checksum_address(key)} is {whose}." in said
    assert "name an account that is no key of these organisations" in said


def test_threat_18_no_founder_is_the_guardian_by_default(tmp_path: Path) -> None:
    with pytest.raises(FoundingUnusable, match="guardian is missing; name an account"):
        read_founding(founding(tmp_path, guardian=None))


@pytest.mark.parametrize(
    "content",
    [
        b"organisations: \xff",
        b"credit: 2026-13-45",
        b"[" * 5_000,
        b"1: a\nfoo: b\n",
        b'organisations: [{name: "\\ud800", member: x, operator: y}]\ncredit: {supply: 1}',
        b'organisations: [{name: "\\e[2J", member: x, operator: y}]\ncredit: {supply: 1}',
        b"? [a]\n: b\n",
    ],
)
def test_whatever_stands_in_a_founding_file_is_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "founding.yaml"
    path.write_bytes(content)

    with pytest.raises(FoundingUnusable, match=r"founding\.yaml"):
        read_founding(path)


@pytest.mark.parametrize(
    "panel", [[["Laboratory A"]], ["Laboratory A", "Laboratory A"], [{"a": 1}], "Laboratory A", []]
)
def test_a_panel_that_names_nobody_is_refused_in_a_sentence(tmp_path: Path, panel: object) -> None:
    with pytest.raises(FoundingUnusable, match="panel is a list of names"):
        read_founding(founding(tmp_path, panel=panel))


@pytest.mark.parametrize("content", [b"\xff", b"[]", b"7", b"{}", b'{"chain_id"', b"null"])
def test_a_damaged_journal_of_a_deployment_is_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "deploying.json"
    path.write_bytes(content)

    with pytest.raises(DeploymentRefused, match="is damaged"):
        FileJournal.open(path, subject={"chain_id": 1}, resume=True)
