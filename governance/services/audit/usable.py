"""Whether exactly one file may be used now, from the chain alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar, cast

from governance.domain.market import Address
from governance.domain.release import RefusalReason, Status
from governance.errors import InvalidRecord
from governance.policy import ChainRule, decode_key
from governance.services import reading
from governance.services.audit.sources import Witness
from governance.services.releases import RELEASE_FIELDS

E = TypeVar("E", Status, RefusalReason)

REGISTRY: Final = "ReleaseRegistry"
WHY: Final = {
    Status.CANDIDATE: "it is a candidate that nobody has decided on yet",
    Status.SUSPENDED: "its release is suspended",
    Status.REVOKED: "its release was revoked",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Usability:
    """What the chain says about one file."""

    artifact: bytes
    """SHA-256 of the file."""
    usable: bool
    release: bytes
    """Zeros when the file is unknown."""
    status: Status
    reason: str
    """One sentence."""
    failed_rules: tuple[str, ...]


def judge_file(witness: Witness, registry: Address, artifact: bytes) -> Usability:
    """Ask the chain about a file.

    Parameters
    ----------
    artifact
        SHA-256 of all its bytes; one changed bit is another file.

    Raises
    ------
    ChainUnreachable, AnswerWrong, AnswerMissing, ContractRefused, InvalidRecord
        If the chain cannot say, so that the file must not be used.
    """
    block = witness.head()

    def ask(function: str, *arguments: object) -> object:
        return witness.call(REGISTRY, registry, function, arguments=arguments, block=block)

    release = reading.raw(ask("releaseOf", artifact))
    usable = reading.flag(ask("isUsable", artifact))
    fields = reading.row(ask("release", release), RELEASE_FIELDS)
    status = _enum(Status, fields[0])
    if usable != (status is Status.RELEASED):
        raise InvalidRecord(f"the registry contradicts itself about 0x{artifact.hex()}; run: folkmoot audit verify")
    failed: tuple[str, ...] = ()
    reason = "it was released and nothing has withdrawn it" if usable else WHY.get(status, "")
    if status is Status.NONE:
        reason = "no release or candidate has exactly these bytes"
    if status is Status.REFUSED:
        grounds = _enum(RefusalReason, fields[1])
        if grounds is RefusalReason.POLICY:
            mask = reading.number(reading.row(ask("check", release), 3)[0])
            failed = _failed_rules(witness, reading.address(ask("policyRegistry")), mask=mask, block=block)
        reason = _refusal(grounds, failed)
    return Usability(
        artifact=artifact, usable=usable, release=release, status=status, reason=reason, failed_rules=failed
    )


def _enum(kind: type[E], value: object) -> E:
    try:
        return kind(reading.number(value))
    except ValueError as problem:
        raise InvalidRecord(f"the chain answered {value!r} where a {kind.__name__} belongs") from problem


def _failed_rules(witness: Witness, policy: Address, *, mask: int, block: int) -> tuple[str, ...]:
    rules = reading.items(witness.call("PolicyRegistry", policy, "rules", arguments=(), block=block))
    named = cast("Sequence[ChainRule]", rules)
    return tuple(decode_key(rule[0]) for index, rule in enumerate(named) if mask >> index & 1)


def _refusal(grounds: RefusalReason, failed: tuple[str, ...]) -> str:
    match grounds:
        case RefusalReason.POLICY:
            return f"the constitution refused it: {', '.join(failed) or 'a rule that has changed since'}"
        case RefusalReason.VOTE:
            return "the members did not release it"
        case _:
            return "no jury measured it"
