"""What a founding file may not say about the guardian, before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from eth_utils.address import to_checksum_address

from folkmoot.founding_file import FoundingUnusable, read_founding


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
