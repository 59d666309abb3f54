"""Whether exactly one file may be used now, from the chain alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar, cast

from governance.domain.market import Address
from governance.domain.release import Reason, Status
from governance.errors import InvalidRecord
from governance.policy import ChainRule, decode_key
from governance.services import reading
from governance.services.audit.sources import Witness

E = TypeVar("E", Status, Reason)

REGISTRY: Final = "ReleaseRegistry"
WHY: Final = {
    Status.NONE: "no release or candidate has exactly these bytes",
    Status.CANDIDATE: "it is a candidate that nobody has decided on yet",
    Status.RELEASED: "it was released and nothing has withdrawn it",
    Status.REVOKED: "the members revoked its release",
    Status.RECALLED: "STOP USING IT: the members recalled it",
}
SUSPENDED: Final = {
    Reason.POLICY: "its release is suspended: it breaks rules in force",
    Reason.WITHDRAWAL: "its release is suspended: somebody whose data stand behind it withdrew consent",
    Reason.GUARDIAN: "its release is suspended by the guardian, for 14 days at most",
    Reason.PARENT: "its release is suspended: one that it was built from may not be used",
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
    answer = reading.row(ask("status", artifact), 2)
    status, why = _enum(Status, answer[0]), _enum(Reason, answer[1])
    if usable != (status is Status.RELEASED):
        raise InvalidRecord(f"the registry contradicts itself about 0x{artifact.hex()}; run: folkmoot audit verify")
    failed: tuple[str, ...] = ()
    if why is Reason.POLICY:
        mask = reading.number(reading.row(ask("check", release), 3)[0])
        failed = _failed_rules(witness, reading.address(ask("policyRegistry")), mask=mask, block=block)
    return Usability(
        artifact=artifact,
        usable=usable,
        release=release,
        status=status,
        reason=_sentence(status, why, failed),
        failed_rules=failed,
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


def _sentence(status: Status, why: Reason, failed: tuple[str, ...]) -> str:
    if status is Status.SUSPENDED:
        rules = f": {', '.join(failed)}" if failed else ""
        return SUSPENDED.get(why, "its release is suspended") + rules
    if status is not Status.REFUSED:
        return WHY[status]
    match why:
        case Reason.POLICY:
            return f"the constitution refused it: {', '.join(failed) or 'a rule that has changed since'}"
        case Reason.WITHDRAWAL:
            return "somebody whose data stand behind it withdrew consent"
        case Reason.VOTE:
            return "the members did not release it"
        case _:
            return "no jury measured it"
