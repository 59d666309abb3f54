"""Votes: power at the snapshot, sums, quorums by class, code pins, and what was carried out."""

from collections.abc import Iterable

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from governance.domain.release import ProposalState
from governance.ports import Event
from governance.services import reading
from governance.services.audit.ballots import Power, Proposal, read_power, read_proposals
from governance.services.audit.consents import members_before
from governance.services.audit.context import Context, place
from governance.services.audit.report import Examination
from governance.services.audit.timeline import moment_of

APPROVE = keccak(b"approve(bytes32,bytes32,bytes32,bytes32,uint64)")[:4]
COORDINATOR = 2


def check_power(context: Context, exam: Examination) -> None:
    """Compare members, delegations and voting power with their events, and members with organisations."""
    power = read_power(context)
    token = "MemberToken"  # noqa: S105 - a contract's name
    supply = power.supply.last
    context.state(exam, token, "number of votes", expected=supply, call=(token, "totalSupply"))
    for holder, balance in power.balances.items():
        context.state(exam, token, f"votes owned by {holder}", expected=balance, call=(token, "balanceOf", holder))
    for holder, delegate in power.delegates.items():
        context.state(exam, token, f"delegate of {holder}", expected=delegate, call=(token, "delegates", holder))
    for voter, checkpoints in power.votes.items():
        context.state(exam, token, f"power of {voter}", expected=checkpoints.last, call=(token, "getVotes", voter))
    members = {
        found.member
        for number in context.world.organisations
        if (found := context.world.organisations.last(number)) is not None and found.active
    }
    owners = {holder for holder, balance in power.balances.items() if balance}
    exam.equal(token, "owners are the members of active organisations", expected=sorted(members), found=sorted(owners))
    exam.equal(token, "one vote each", expected=len(members), found=supply)


def check_votes(context: Context, exam: Examination) -> None:
    """Count every vote of every proposal again."""
    power = read_power(context)
    proposals = read_proposals(context)
    for proposal in proposals.values():
        _check_identity(context, exam, proposal)
        _check_class(context, exam, proposal)
        _check_proposer(context, exam, proposal, power)
        for vote in proposal.votes:
            _check_vote(context, exam, proposal, power=power, vote=vote)
        _check_count(context, exam, proposal, power)
        _check_outcome(context, exam, proposal, power)
    for event in context.events("ModelGovernor", "VoteCast", "VoteCastWithParams", "ProposalExecuted"):
        known = event.values["proposalId"] in proposals
        exam.holds(place(event), "it belongs to a proposal", condition=known)
    _check_live(context, exam, proposals, power)
    count = len(proposals)
    context.state(exam, "ModelGovernor", "number of proposals", expected=count, call=("ModelGovernor", "proposalCount"))


def _check_live(context: Context, exam: Examination, proposals: dict[int, Proposal], power: Power) -> None:
    latest = {proposal.proposer: proposal for proposal in proposals.values()}
    for proposer, proposal in latest.items():
        state = proposal.state_at(context.history.head.time_s, power)
        live = proposal.id if state in (ProposalState.PENDING, ProposalState.ACTIVE) else 0
        call = ("ModelGovernor", "liveProposal", proposer)
        context.state(exam, f"proposer {proposer}", "its one live proposal", expected=live, call=call)


def name_of(proposal: Proposal) -> str:
    """Return how findings name a proposal."""
    return f"proposal {str(proposal.id)[:8]}… ({place(proposal.created)})"


def _check_identity(context: Context, exam: Examination, proposal: Proposal) -> None:
    where = name_of(proposal)
    description = keccak(proposal.description.encode("utf-8", "surrogateescape"))
    types = ["address[]", "uint256[]", "bytes[]", "bytes32"]
    digest = keccak(encode(types, [proposal.targets, proposal.values, proposal.calldatas, description]))
    exam.equal(where, "its id", expected=int.from_bytes(digest, "big"), found=proposal.id)
    governor = "ModelGovernor"
    for what, expected, view in (
        ("start of the vote", proposal.start_s, "proposalSnapshot"),
        ("end of the vote", proposal.end_s, "proposalDeadline"),
        ("proposer", proposal.proposer, "proposalProposer"),
    ):
        context.state(exam, where, what, expected=expected, call=(governor, view, proposal.id))
    stored = (proposal.targets, proposal.values, proposal.calldatas, description)
    context.state(exam, where, "what it would do", expected=stored, call=(governor, "proposalDetails", proposal.id))
    delay = proposal.start_s - context.time_s(proposal.created)
    exam.equal(
        where, "voting delay", expected=_setting(context, proposal, "VotingDelaySet", "newVotingDelay"), found=delay
    )
    period = reading.number(proposal.created.values["voteEnd"]) - proposal.start_s
    exam.equal(
        where, "voting period", expected=_setting(context, proposal, "VotingPeriodSet", "newVotingPeriod"), found=period
    )


def _setting(context: Context, proposal: Proposal, event_name: str, value: str) -> object:
    moment = (proposal.created.block, proposal.created.log_index)
    earlier = [
        event for event in context.events("ModelGovernor", event_name) if (event.block, event.log_index) < moment
    ]
    return earlier[-1].values[value] if earlier else None


def _check_class(context: Context, exam: Examination, proposal: Proposal) -> None:
    where = name_of(proposal)
    if not exam.holds(where, "its class was announced", condition=proposal.classified is not None):
        return
    exam.equal(where, "routine, from its calldata", expected=is_approval(context, proposal), found=proposal.routine)
    context.state(exam, where, "routine", expected=proposal.routine, call=("ModelGovernor", "isRoutine", proposal.id))
    pin = b"\0" * 32
    for target in proposal.targets:
        code = context.witness.code(target, context.history.head.number)
        pin = keccak(encode(["bytes32", "address", "bytes32"], [pin, target, keccak(code)]))
    announced = proposal.classified.values["codePin"] if proposal.classified else None
    exam.equal(where, "code of its targets now, and when it was proposed", expected=pin, found=announced)
    context.state(exam, where, "code pin", expected=announced, call=("ModelGovernor", "codePin", proposal.id))


def is_approval(context: Context, proposal: Proposal) -> bool:
    """Say whether a proposal asks for the release of one candidate and nothing else."""
    return (
        proposal.targets == (context.address("ReleaseRegistry"),)
        and proposal.values == (0,)
        and len(proposal.calldatas) == 1
        and proposal.calldatas[0][:4] == APPROVE
    )


def _check_proposer(context: Context, exam: Examination, proposal: Proposal, power: Power) -> None:
    exam.holds(
        name_of(proposal),
        "its proposer was allowed to",
        condition=may_propose(context, proposal, power) or _is_own(context, proposal),
        found=proposal.proposer,
    )


def may_propose(context: Context, proposal: Proposal, power: Power) -> bool:
    """Say whether a proposer was a member with a vote, its own or another one's."""
    voted = power.votes_at(proposal.proposer, context.time_s(proposal.created) - 1) >= 1
    return voted and proposal.proposer in members_before(context, moment_of(proposal.created))


def _is_own(context: Context, proposal: Proposal) -> bool:
    """Say whether a coordinator asks for the release of the candidate that it submitted itself."""
    moment = moment_of(proposal.created)
    agent = context.world.agents.before(moment, proposal.proposer)
    coordinates = (
        agent is not None and agent.roles & COORDINATOR != 0 and context.world.is_active(proposal.proposer, moment)
    )
    if not coordinates or not is_approval(context, proposal):
        return False
    candidate = context.records.releases.get(proposal.calldatas[0][4:36])
    return candidate is not None and candidate.proposer == proposal.proposer


def _check_vote(context: Context, exam: Examination, proposal: Proposal, *, power: Power, vote: Event) -> None:
    voter = reading.address(vote.values["voter"])
    where = f"vote of {voter} on {name_of(proposal)}, {place(vote)}"
    weight = vote.values["weight"]
    exam.equal(where, "weight, from the delegations", expected=power.votes_at(voter, proposal.start_s), found=weight)
    time_s = context.time_s(vote)
    exam.holds(where, "cast while voting was open", condition=proposal.start_s < time_s <= proposal.end_s, found=time_s)
    exam.holds(where, "for, against or abstain", condition=vote.values["support"] in (0, 1, 2), found=weight)
    call = ("MemberToken", "getPastVotes", voter, proposal.start_s)
    context.state(exam, where, "power at the snapshot", expected=weight, call=call)
    voted = ("ModelGovernor", "hasVoted", proposal.id, voter)
    context.state(exam, where, "noted as having voted", expected=True, call=voted)


def _check_count(context: Context, exam: Examination, proposal: Proposal, power: Power) -> None:
    where = name_of(proposal)
    voters = [vote.values["voter"] for vote in proposal.votes]
    exam.equal(where, "nobody voted twice", expected=len(set(voters)), found=len(voters))
    governor = "ModelGovernor"
    tally = proposal.tally()
    context.state(exam, where, "sum of the votes", expected=tally, call=(governor, "proposalVotes", proposal.id))
    if context.history.head.time_s <= proposal.start_s:
        return
    supply = power.supply.at(proposal.start_s)
    past = ("MemberToken", "getPastTotalSupply", proposal.start_s)
    context.state(exam, where, "all votes there were at the snapshot", expected=supply, call=past)


def _check_outcome(context: Context, exam: Examination, proposal: Proposal, power: Power) -> None:
    where = name_of(proposal)
    if proposal.queued is not None or proposal.executed is not None:
        exam.holds(where, "it passed", condition=proposal.has_passed(power), found=proposal.tally())
    if proposal.queued is not None:
        late = context.time_s(proposal.queued) > proposal.end_s
        exam.holds(place(proposal.queued), "queued after the vote", condition=late)
        delay = _delay_at(context, proposal.queued)
        eta = context.time_s(proposal.queued) + delay
        exam.equal(place(proposal.queued), "time of effect", expected=eta, found=proposal.queued.values["etaSeconds"])
    if proposal.executed is not None:
        _check_execution(context, exam, proposal)
    state = proposal.state_at(context.history.head.time_s, power)
    context.state(
        exam,
        where,
        f"its state, {state.name.lower()}",
        expected=int(state),
        call=("ModelGovernor", "state", proposal.id),
    )


def _check_execution(context: Context, exam: Examination, proposal: Proposal) -> None:
    if proposal.executed is None:
        return
    where = place(proposal.executed)
    waited = proposal.queued is not None and context.time_s(proposal.executed) >= reading.number(
        proposal.queued.values["etaSeconds"]
    )
    exam.holds(where, "it waited in the timelock", condition=waited)
    exam.holds(where, "it was not cancelled", condition=proposal.canceled is None)
    calls = [
        event
        for event in context.events("Timelock", "CallExecuted")
        if event.transaction == proposal.executed.transaction
    ]
    found = [(event.values["target"], event.values["value"], event.values["data"]) for event in calls]
    wanted = list(zip(proposal.targets, proposal.values, proposal.calldatas, strict=False))
    missing = [call for call in wanted if call not in found]
    exam.equal(where, "calls of the timelock are those voted on", expected=[], found=missing)


def _delay_at(context: Context, event: Event) -> int:
    changes = list(context.events("Timelock", "MinDelayChange"))
    earlier = [change for change in changes if (change.block, change.log_index) < (event.block, event.log_index)]
    return reading.number(earlier[-1].values["newDuration"]) if earlier else 0


def check_timelock(context: Context, exam: Examination) -> None:
    """Require that the timelock scheduled and did only what passed votes asked for."""
    proposals = read_proposals(context).values()
    queued = _by_transaction((proposal.queued, proposal) for proposal in proposals)
    executed = _by_transaction((proposal.executed, proposal) for proposal in proposals)
    for event in context.events("Timelock", "CallScheduled", "CallExecuted"):
        where = place(event)
        key = reading.raw(event.values["id"])
        asked = (queued if event.name == "CallScheduled" else executed).get(event.transaction, [])
        wanted = {
            (_operation_id(context, proposal), index, *call)
            for proposal in asked
            for index, call in enumerate(zip(proposal.targets, proposal.values, proposal.calldatas, strict=False))
        }
        call = (key, *(event.values[name] for name in ("index", "target", "value", "data")))
        exam.holds(where, "it is what a proposal asked for", condition=call in wanted, found=call)
        if event.name == "CallScheduled":
            exam.equal(where, "its wait", expected=_delay_at(context, event), found=event.values["delay"])
        else:
            context.state(exam, where, "noted as done", expected=True, call=("Timelock", "isOperationDone", key))


def _by_transaction(pairs: Iterable[tuple[Event | None, Proposal]]) -> dict[str, list[Proposal]]:
    found: dict[str, list[Proposal]] = {}
    for event, proposal in pairs:
        if event is not None:
            found.setdefault(event.transaction, []).append(proposal)
    return found


def _operation_id(context: Context, proposal: Proposal) -> bytes:
    # OpenZeppelin GovernorTimelockControl._timelockSalt and TimelockController.hashOperationBatch.
    description = keccak(proposal.description.encode("utf-8", "surrogateescape"))
    governor = bytes.fromhex(context.address("ModelGovernor")[2:]).ljust(32, b"\0")
    salt = bytes(left ^ right for left, right in zip(governor, description, strict=True))
    types = ["address[]", "uint256[]", "bytes[]", "bytes32", "bytes32"]
    values = [proposal.targets, proposal.values, proposal.calldatas, b"\0" * 32, salt]
    return keccak(encode(types, values))
