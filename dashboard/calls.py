"""Every call that the timelock can make, with the sentence that a voter reads."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from eth_utils.crypto import keccak

from dashboard.amended import court_settings, metric_list, rule_set
from dashboard.text import credits_text, hexed, quote, short, whole
from dashboard.times import span, utc
from governance.domain.policy import PolicySet

DESTRUCTIVE: Final = "This cannot be undone by the person who votes; read it twice."
SECOND_VOTE: Final = "30 days and a second vote"
BY_DIRECTION: Final = "2 days if all of it is tighter, 14 if any of it is looser, else 30 days and a second vote"


_ROLES: Final = {keccak(text=f"{name}_ROLE"): name.lower() for name in ("PROPOSER", "EXECUTOR", "CANCELLER")} | {
    b"\0" * 32: "admin"
}


def _role(value: object) -> str:
    raw = bytes.fromhex(hexed(value)[2:])
    return _ROLES.get(raw, short(hexed(value)))


def argument_types(signature: str) -> list[str]:
    """Return the types of a signature's arguments; a struct is one, with its parts in brackets."""
    found, depth = [""], 0
    for letter in signature[signature.index("(") + 1 : -1]:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            found.append("")
        else:
            found[-1] += letter
    return found if found[0] else []


@dataclass(frozen=True, slots=True)
class Call:
    """One call, and the sentence that a person reads."""

    contract: str
    signature: str
    labels: tuple[str, ...]
    sentence: Callable[[Sequence[object]], str]
    waits: str = ""
    """How long it waits after it was staged; empty when the timelock itself makes the call."""
    worded: Callable[[Sequence[object], PolicySet | None], str] | None = None
    """The sentence with the names that a set of rules gives, where there is one."""
    about_change: bool = False
    """Stages a change, or decides about one that was staged."""

    def told(self, values: Sequence[object], words: PolicySet | None) -> str:
        """Return the sentence for these arguments."""
        return self.sentence(values) if self.worded is None else self.worded(values, words)

    @property
    def types(self) -> list[str]:
        """Types of the arguments."""
        return argument_types(self.signature)

    @property
    def selector(self) -> bytes:
        """First four bytes of the calldata."""
        return keccak(text=self.signature)[:4]


CALLS: Final = (
    Call(
        "ReleaseRegistry",
        "approve(bytes32,bytes32,bytes32,bytes32,uint64)",
        ("release", "manifest hash", "policy hash", "facts hash", "deadline"),
        lambda v: (
            f"Release candidate {hexed(v[0])[2:10]} for use, if the constitution still allows it when it is "
            f"carried out (at the latest {utc(whole(v[4]))})."
        ),
    ),
    Call(
        "ReleaseRegistry",
        "revoke(bytes32,bytes32)",
        ("release", "reason"),
        lambda v: f"Withdraw release {hexed(v[0])[2:10]}: its file may be used no more. {DESTRUCTIVE}",
    ),
    Call(
        "ReleaseRegistry",
        "recall(bytes32,bytes32)",
        ("release", "reason"),
        lambda v: (
            f"Recall release {hexed(v[0])[2:10]}: everybody is told to stop using its file at once. {DESTRUCTIVE}"
        ),
    ),
    Call(
        "ReleaseRegistry",
        "liftSuspension(bytes32)",
        ("release",),
        lambda v: f"End the guardian's suspension of release {hexed(v[0])[2:10]} before its 14 days are over.",
    ),
    Call(
        "ReleaseRegistry",
        "setGuardian(address)",
        ("guardian",),
        lambda v: (
            f"Make {hexed(v[0])} the guardian, who may stop any proposal but one to replace it, "
            "and suspend each release once for 14 days."
        ),
        waits=SECOND_VOTE,
    ),
    Call(
        "PolicyRegistry",
        "amend((bytes32,(bytes32,bool,int128,int128)[],(uint8,uint8)[],"
        "(bytes32,bytes32,int128,uint8,uint8,uint8,uint8,uint8,uint64)[]))",
        ("documentHash, facts, tiers, rules",),
        lambda v: rule_set(v[0]),
        worded=lambda v, words: rule_set(v[0], words),
        waits=BY_DIRECTION,
    ),
    Call(
        "AgreementBook",
        "setFee(uint16)",
        ("basis points",),
        lambda v: f"Take {whole(v[0]) / 100:.2f} % of payments under later agreements for the treasury.",
        waits="14 days",
    ),
    Call(
        "EvaluatorCourt",
        "setSettings((uint8,uint8,uint8,uint64,uint64,uint64,uint64,uint128,uint128,bytes32))",
        ("the settings, in the contract's order",),
        lambda v: court_settings(v[0]),
        waits=SECOND_VOTE,
    ),
    Call(
        "EvaluatorCourt",
        "setMetrics((bytes32,bool,uint64)[])",
        ("key, higherIsBetter, toleranceMicros",),
        lambda v: metric_list(v[0]),
        waits=SECOND_VOTE,
    ),
    Call(
        "ReleaseRegistry",
        "retire(address)",
        ("successor",),
        lambda v: f"Take no more candidates here; the registry {hexed(v[0])} goes on with the log. {DESTRUCTIVE}",
        waits=SECOND_VOTE,
    ),
    Call(
        "Consent",
        "setOfficer(uint8,address)",
        ("office", "account"),
        lambda v: f"Give office {whole(v[0])}, whose holder signs candidates off, to {hexed(v[1])}.",
        waits=SECOND_VOTE,
    ),
    Call(
        "Consent",
        "judgeAbusive(bytes32,uint32)",
        ("release", "organisation"),
        lambda v: (
            f"Judge the objection of organisation number {v[1]} to release {short(hexed(v[0]))} abusive: "
            f"it counts no more, and its stake is the treasury's. {DESTRUCTIVE}"
        ),
    ),
    Call(
        "AgentRegistry",
        "admit(string,address,address)",
        ("name", "member", "operator"),
        lambda v: (
            f"Admit an organisation that calls itself {quote(str(v[0]))}, with one vote for the wallet "
            f"{hexed(v[1])[2:10]} and its agents administered by {hexed(v[2])[2:10]}."
        ),
        waits="14 days",
    ),
    Call(
        "AgentRegistry",
        "remove(uint32)",
        ("organisation",),
        lambda v: f"Remove organisation number {v[0]}, its vote and all its agents. {DESTRUCTIVE}",
        waits="14 days",
    ),
    Call(
        "AgentRegistry",
        "setMember(uint32,address)",
        ("organisation", "member"),
        lambda v: f"Give the vote of organisation number {v[0]} to another wallet, {hexed(v[1])}. {DESTRUCTIVE}",
        waits="14 days",
    ),
    Call(
        "AgentRegistry",
        "suspend(uint32,uint64,bytes32)",
        ("organisation", "until", "reason"),
        lambda v: (
            f"Stop all agents of organisation number {v[0]} until {utc(whole(v[1]))}; it keeps its vote, its pay and "
            "its right to withdraw consent."
        ),
    ),
    Call(
        "AgentRegistry",
        "reinstate(uint32)",
        ("organisation",),
        lambda v: f"Let the agents of organisation number {v[0]} work again before their suspension is over.",
    ),
    Call(
        "AgentRegistry",
        "keepOperator(uint32)",
        ("organisation",),
        lambda v: f"Stop the change of organisation number {v[0]} to the operator that was announced for it.",
    ),
    Call(
        "EvaluatorCourt",
        "joinPanel(uint32)",
        ("organisation",),
        lambda v: f"Let organisation number {v[0]} be drawn as a juror.",
    ),
    Call(
        "EvaluatorCourt",
        "removeFromPanel(uint32)",
        ("organisation",),
        lambda v: f"Let organisation number {v[0]} be drawn as a juror no more.",
        waits=SECOND_VOTE,
    ),
    Call(
        "ModelGovernor",
        "setVotingDelay(uint48)",
        ("seconds",),
        lambda v: f"Change the time between a proposal and its vote to {span(whole(v[0]))}.",
        waits=SECOND_VOTE,
    ),
    Call(
        "ModelGovernor",
        "setVotingPeriod(uint32)",
        ("seconds",),
        lambda v: f"Change the time in which members may vote to {span(whole(v[0]))}.",
        waits=SECOND_VOTE,
    ),
    Call(
        "ModelGovernor",
        "setProposalThreshold(uint256)",
        ("votes",),
        lambda v: f"Change the votes that a member needs to propose to {v[0]}.",
        waits=SECOND_VOTE,
    ),
    Call(
        "ModelGovernor",
        "updateQuorumNumerator(uint256)",
        ("percent",),
        lambda v: f"Change the quorum of routine proposals to {v[0]} % of all votes.",
        waits=SECOND_VOTE,
    ),
    Call(
        "ModelGovernor",
        "setLateQuorumVoteExtension(uint48)",
        ("seconds",),
        lambda v: f"Change the least time to vote after a quorum is reached to {span(whole(v[0]))}.",
        waits=SECOND_VOTE,
    ),
    Call(
        "ModelGovernor",
        "updateTimelock(address)",
        ("timelock",),
        lambda v: f"Hand everything that the timelock owns to another contract, {hexed(v[0])}. {DESTRUCTIVE}",
        waits=SECOND_VOTE,
    ),
    Call(
        "ModelGovernor",
        "relay(address,uint256,bytes)",
        ("target", "value", "calldata"),
        lambda v: (
            f"Make the governor itself call {hexed(v[0])} with calldata that this page does not read. {DESTRUCTIVE}"
        ),
    ),
    Call(
        "Timelock",
        "updateDelay(uint256)",
        ("seconds",),
        lambda v: f"Change the wait between a passed vote and its execution to {span(whole(v[0]))}.",
        waits=SECOND_VOTE,
    ),
    Call(
        "Timelock",
        "grantRole(bytes32,address)",
        ("role", "account"),
        lambda v: f"Give {hexed(v[1])} the power {_role(v[0])} over the timelock. {DESTRUCTIVE}",
        waits=SECOND_VOTE,
    ),
    Call(
        "Timelock",
        "revokeRole(bytes32,address)",
        ("role", "account"),
        lambda v: f"Take the power {_role(v[0])} over the timelock from {hexed(v[1])}. {DESTRUCTIVE}",
        waits=SECOND_VOTE,
    ),
    Call(
        "Amendments",
        "stage(address,bytes)",
        ("contract", "call"),
        lambda _: "Stage a change that waits.",
        about_change=True,
    ),
    Call(
        "Amendments",
        "ratify(bytes32,bytes32)",
        ("change", "nonce"),
        lambda _: "Confirm, as the second vote, a change that was staged.",
        about_change=True,
    ),
    Call(
        "Amendments",
        "withdraw(bytes32)",
        ("change",),
        lambda _: "Drop a change that was staged.",
        about_change=True,
    ),
    Call(
        "Credit",
        "transfer(address,uint256)",
        ("to", "amount in 1e-18 credit"),
        lambda v: f"Pay {credits_text(whole(v[1]))} from the timelock to {hexed(v[0])}.",
    ),
)
BY_PLACE: Final = {(call.contract, call.selector): call for call in CALLS}
