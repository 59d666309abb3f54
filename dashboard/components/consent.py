"""What people say beside the vote: endorsing the contracts, signing off, objecting, taking consent back."""

from dataclasses import dataclass
from typing import Final

import streamlit as st

from dashboard.actions import call_data
from dashboard.components import wallet
from dashboard.components.marks import badge, digest
from dashboard.components.tables import Cell, show_table
from dashboard.consent import behind, offices_to_sign
from dashboard.market import Agreement
from dashboard.releases import Objection, Release
from dashboard.settings import Supplies
from dashboard.text import clean, credits_text, short
from dashboard.times import utc
from dashboard.world import World
from governance.domain.market import Address
from governance.domain.release import Status
from governance.domain.signing import SHORT_TEXT_BYTES, short_text
from governance.errors import FolkmootError
from governance.services import reading
from governance.services.releases import Consent

ENDORSE: Final = ("Consent", "endorse(bytes32)")
SIGN_OFF: Final = ("Consent", "signOff(bytes32,bytes32,uint128)")
OBJECT: Final = ("Consent", "objectTo(bytes32,bytes32,bytes32)")
WITHDRAW: Final = ("AgreementBook", "withdraw(bytes32)")
ALLOW: Final = ("Credit", "approve(address,uint256)")


@dataclass(frozen=True, slots=True)
class _Speaker:
    """The connected wallet, and the network that it speaks to."""

    account: Address
    supplies: Supplies

    def step(self, label: str, call: tuple[str, str], arguments: tuple[object, ...], *, summary: str) -> wallet.Step:
        """Return the button for a call, named by contract and signature."""
        contract, signature = call
        to = self.supplies.contracts[contract]
        place = f"contract {short(to)}, chain {self.supplies.chain.chain_id}"
        return wallet.Step(
            label=label,
            to=to,
            data=call_data(signature, *arguments),
            summary=f"{summary}, {place}. Compare these with what your wallet shows.",
            tag=label,
            account=self.account,
        )


def show_endorsement(world: World, supplies: Supplies) -> None:
    """Say how many members endorsed the contracts, and let one that has not do so."""
    members = {o.member for o in world.people.organisations.values() if o.active}
    given = world.endorsements
    count = f"{len(members & given.by)} of {len(members)} members have endorsed exactly these contracts"
    st.text(f"{count}." if given.suffices(members) else f"{count}; nothing can be released before two thirds have.")
    account: Address | None = st.session_state.get("account")
    if account not in members or account in given.by:
        return
    try:
        standing = Consent(supplies.chain).deployment_digest()
    except FolkmootError:
        st.text("The chain does not answer, so there is nothing to endorse just now.")
        return
    digest("what stands", standing.hex())
    st.text("Endorse it only if `folkmoot audit verify` found nothing and the digest is the one that you were told.")
    summary = f"endorse the deployment {standing.hex()}"
    speaker = _Speaker(account, supplies)
    _offer([speaker.step("Endorse these contracts", ENDORSE, (standing,), summary=summary)], supplies, key="endorse")


def show_consent(release: Release, world: World, supplies: Supplies) -> None:
    """Show who objects, who signed off and whether consent was taken back, and what the connected wallet may say."""
    if release.consent_ended:
        badge(("Consent was taken back by somebody whose terms let that block it", "block", "red"))
    _show_objections(release, world)
    signed = release.offices()
    offices = ", ".join(str(office) for office in range(signed.bit_length()) if signed >> office & 1)
    st.text(f"Signed off by the offices {offices}." if signed else "No office has signed it off.")
    account: Address | None = st.session_state.get("account")
    if account is None:
        st.text("Connect your wallet in the sidebar to sign off, to object or to take consent back.")
        return
    speaker = _Speaker(account, supplies)
    steps = _sign_off_steps(speaker, release, world)
    for agreement in behind(account, release, releases=world.releases, market=world.market, people=world.people):
        steps += _owner_steps(speaker, agreement, release, world)
    if steps:
        _offer(steps, supplies, key=f"consent_{short(release.id.hex())}")
    else:
        st.text("This wallet holds no open office, and no data of its organisation stand behind this candidate.")


def _show_objections(release: Release, world: World) -> None:
    counted = len(release.objecting())
    st.text(f"Organisations that object: {counted}. What follows from it is for the rules to say.")
    if release.objections:
        rows = [_objection_row(objection, world) for objection in release.objections]
        show_table(rows, what="objections")


def _objection_row(objection: Objection, world: World) -> dict[str, Cell]:
    organisation = world.people.organisations.get(objection.organisation)
    stake = "given back" if objection.returned else "held"
    return {
        "organisation": clean(organisation.name) if organisation else f"no. {objection.organisation}",
        "reason": clean(objection.reason),
        "raised": utc(objection.time_s),
        "counts": "no: judged abusive" if objection.abusive else "yes",
        "stake": "the treasury's" if objection.abusive else stake,
    }


def _sign_off_steps(speaker: _Speaker, release: Release, world: World) -> list[wallet.Step]:
    offices = offices_to_sign(speaker.account, release, world.officers, vote=world.vote_on(release))
    if not offices:
        return []
    summary = f"sign off release {short(release.id.hex())} for the offices {offices:#x}"
    return [speaker.step("Sign off", SIGN_OFF, (release.id, release.manifest_hash, offices), summary=summary)]


def _owner_steps(speaker: _Speaker, agreement: Agreement, release: Release, world: World) -> list[wallet.Step]:
    steps = []
    organisation = world.people.agents[agreement.terms.seller].organisation
    spoken = {each.organisation for each in release.objections}
    if organisation not in spoken and release.status in {Status.CANDIDATE, Status.RELEASED}:
        steps += _objection_steps(speaker, agreement, release)
    if agreement.withdrawn_at_s is None:
        what = f"take consent back from agreement {short(agreement.id.hex())}"
        vetoes = agreement.terms.withdrawal_blocks
        effect = "the model can no longer be used, for ever" if vetoes else "your terms do not let that stop the model"
        st.text(f"To {what} is free and ends its pay; {effect}.")
        steps.append(speaker.step("Take consent back", WITHDRAW, (agreement.id,), summary=what))
    return steps


def _objection_steps(speaker: _Speaker, agreement: Agreement, release: Release) -> list[wallet.Step]:
    chain, vault = speaker.supplies.chain, speaker.supplies.contracts["RewardVault"]
    try:
        stake_e18 = Consent(chain).objection_stake_e18()
        allowed_e18 = reading.number(chain.read("Credit", "allowance", speaker.account, vault))
    except FolkmootError:
        st.text("The chain does not answer, so nobody can object just now.")
        return []
    stake = credits_text(stake_e18)
    if allowed_e18 < stake_e18:
        st.text(f"An objection needs a stake of {stake}, held for 30 days; the vault has to be allowed to take it.")
        # Added to what stands: bonds of the same operator need theirs.
        amount_e18 = allowed_e18 + stake_e18
        return [
            speaker.step(f"Allow the stake of {stake}", ALLOW, (vault, amount_e18), summary=f"allow the vault {stake}")
        ]
    reason = st.text_input("Why you object", key=f"why_{short(agreement.id.hex())}", max_chars=SHORT_TEXT_BYTES).strip()
    if not 0 < len(reason.encode()) <= SHORT_TEXT_BYTES:
        st.text(
            f"An objection needs a reason of at most {SHORT_TEXT_BYTES} letters. "
            f"Its stake of {stake} is held for 30 days."
        )
        return []
    what = f"object to release {short(release.id.hex())} with {stake} at stake"
    return [speaker.step("Object", OBJECT, (release.id, agreement.id, short_text(reason)), summary=what)]


def _offer(steps: list[wallet.Step], supplies: Supplies, *, key: str) -> None:
    sent = wallet.offer(supplies, steps, key=key)
    if sent is not None:
        st.session_state[f"sent_{key}"] = sent
    last: wallet.Sent | None = st.session_state.get(f"sent_{key}")
    if last is not None:
        digest(f"your wallet sent “{last.tag}” as", last.transaction)
