"""The file that says who founds a network, and the file that says where its chain answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from folkmoot.addresses import typed_address
from folkmoot.constitution import Founder, Founding
from folkmoot.files import storage_errors
from governance.domain.urls import without_secrets
from governance.errors import FolkmootError

FIELDS = {"organisations", "panel", "policies", "credit", "guardian", "officers"}
E18 = 10**18
MAX_OFFICE = 126


class FoundingUnusable(FolkmootError):
    """A founding or network file that cannot be used; names file and field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a network is deployed."""

    rpc_url: str
    chain_id: int | None
    """What the chain has to say its id is; None takes what it says."""

    @property
    def shown(self) -> str:
        """The address as it may be printed."""
        return without_secrets(self.rpc_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundingPlan:
    """What a founding file says."""

    founding: Founding
    token: str | None
    """An ERC-20 with 18 decimals that stands already; None deploys a test credit."""


def read_place(text: str) -> Place:
    """Read ``--network``: an RPC address, or a YAML file with ``rpc`` and ``chain_id``.

    Raises
    ------
    FoundingUnusable
    """
    if text.startswith(("http://", "https://")):
        return Place(rpc_url=text, chain_id=None)
    fields = _mapping(Path(text))
    rpc, chain_id = fields.get("rpc"), fields.get("chain_id")
    if not isinstance(rpc, str) or not rpc.startswith(("http://", "https://")) or not isinstance(chain_id, int):
        raise FoundingUnusable(f"{text}: give rpc: http(s)://... and chain_id: NUMBER")
    return Place(rpc_url=rpc, chain_id=chain_id)


def read_founding(path: Path) -> FoundingPlan:
    """Read a founding file.

    Raises
    ------
    FoundingUnusable
        If a field is missing, unknown or impossible.
    PolicyError
        If its policies are.
    """
    from governance.policy import load_policies

    fields = _mapping(path)
    if unknown := sorted(map(str, set(fields) - FIELDS)):
        raise FoundingUnusable(f"{path}: unknown field {unknown[0]}; known are {', '.join(sorted(FIELDS))}")
    founders = _founders(path, fields.get("organisations"))
    credit = fields.get("credit")
    if not isinstance(credit, dict):
        raise FoundingUnusable(f"{path}: credit needs either token: ADDRESS, or treasury: ADDRESS and supply: NUMBER")
    token = credit.get("token")
    policies, guardian = fields.get("policies"), fields.get("guardian")
    founding = Founding(
        founders=founders,
        panel=_panel(path, fields.get("panel"), founders),
        policy=load_policies(path.parent / str(policies)) if policies else load_policies(),
        guardian=_guardian(path, guardian, founders),
        officers=_officers(path, fields.get("officers") or {}),
        treasury=founders[0].operator if token else _address(f"{path}: credit.treasury", credit.get("treasury")),
        supply_e18=0 if token else _supply(path, credit.get("supply")),
    )
    return FoundingPlan(founding=founding, token=_address(f"{path}: credit.token", token) if token else None)


def _mapping(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise FoundingUnusable(f"there is no file {path}")
    with storage_errors(path):
        raw = path.read_bytes()
    try:
        fields = yaml.safe_load(raw.decode())
    except (ValueError, RecursionError, yaml.YAMLError) as problem:
        # ValueError: bytes that are no text, and dates that are none, such as 2026-13-45.
        raise FoundingUnusable(f"{path} is no YAML: {' '.join(str(problem).split())}") from problem
    if not isinstance(fields, dict):
        raise FoundingUnusable(f"{path} holds no fields")
    return fields


def _founders(path: Path, entries: object) -> tuple[Founder, ...]:
    if not isinstance(entries, list) or not entries:
        raise FoundingUnusable(f"{path}: organisations is a list of name, member and operator")
    founders = tuple(_founder(f"{path}: organisation {place}", entry) for place, entry in enumerate(entries, start=1))
    for what in ("name", "member", "operator"):
        values = [getattr(founder, what) for founder in founders]
        if twice := next((value for value in values if values.count(value) > 1), None):
            raise FoundingUnusable(f"{path}: {what} {twice} stands there twice")
    return founders


def _founder(where: str, entry: object) -> Founder:
    if not isinstance(entry, dict) or set(entry) != {"name", "member", "operator"}:
        raise FoundingUnusable(f"{where} needs exactly name, member and operator")
    name = entry["name"]
    if not isinstance(name, str) or not 0 < len(name.encode(errors="replace")) <= 64 or not name.isprintable():
        raise FoundingUnusable(f"{where}: a name has 1 to 64 bytes of plain text")
    member = _address(f"{where}, member", entry["member"])
    operator = _address(f"{where}, operator", entry["operator"])
    if member == operator:
        raise FoundingUnusable(f"{where}: member and operator are the same key; a host that is lost would then vote")
    return Founder(name=name, member=member, operator=operator)


def _panel(path: Path, names: object, founders: tuple[Founder, ...]) -> tuple[str, ...]:
    known = {founder.name for founder in founders}
    each = [str(name) for name in names] if isinstance(names, list) else []
    if not each or not set(each) <= known or len(set(each)) < len(each):
        raise FoundingUnusable(f"{path}: panel is a list of names of the organisations above, each once")
    return tuple(each)


def _officers(path: Path, entries: object) -> tuple[tuple[int, str], ...]:
    numbers = entries if isinstance(entries, dict) else {None: None}
    if not all(type(office) is int and 0 <= office <= MAX_OFFICE for office in numbers):
        raise FoundingUnusable(f"{path}: officers maps each office, a number from 0 to {MAX_OFFICE}, to an address")
    return tuple((office, _address(f"{path}: officers.{office}", numbers[office])) for office in sorted(numbers))


def _guardian(path: Path, value: object, founders: tuple[Founder, ...]) -> str:
    what_to_do = "name an account that is no key of these organisations; on its host lies no key of theirs either"
    if not value:
        raise FoundingUnusable(f"{path}: guardian is missing; {what_to_do}")
    guardian = _address(f"{path}: guardian", value)
    for place, founder in enumerate(founders, start=1):
        for what, key in (("member", founder.member), ("operator", founder.operator)):
            if key == guardian:
                raise FoundingUnusable(
                    f"{path}: guardian {guardian} is the {what} of organisation {place}, {founder.name}. Whoever stole "
                    f"that key could stop the votes that would end the theft; {what_to_do}"
                )
    return guardian


def _supply(path: Path, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 10**12:
        raise FoundingUnusable(f"{path}: credit.supply is a whole number of test credits")
    return value * E18


def _address(where: str, value: object) -> str:
    # YAML reads 0x… without quotes as a number.
    text = f"0x{value:040x}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    address = typed_address(text)
    if not address:
        raise FoundingUnusable(f"{where}: {value} is no address, or has a typing error")
    return address
