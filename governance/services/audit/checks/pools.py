"""Pools of releases: every bonus, payment for use, royalty and claim, recomputed."""

from governance.domain.income import (
    MAX_GENERATIONS,
    WHOLE_PPB,
    Share,
    entitled,
    royalties_by_generation,
    share_root,
    shares_by_weight,
    split_income,
)
from governance.domain.market import Address, Kind
from governance.ports import Event
from governance.services import reading
from governance.services.audit.checks.fees import fee_bps_at
from governance.services.audit.context import Context, place, short
from governance.services.audit.records import Release
from governance.services.audit.report import Examination
from governance.services.audit.till import NOBODY, Pool, Till
from governance.services.audit.timeline import Moment, moment_of

WHERE = "RewardVault"
MONTH_S = 30 * 86_400
PROOF_PERIOD_S = 180 * 86_400


def opened(context: Context, exam: Examination, till: Till, event: Event) -> None:
    """Derive contributors, prices and root again, and compare them with the pool that was opened."""
    release, found = _raw(event, "release"), event.values
    record = context.records.releases[release]
    exam.holds(place(event), "the release was approved before", condition=_was_released(record, moment_of(event)))
    deals = [context.records.agreements[key] for key in record.manifest.agreements]
    data = [deal for deal in deals if deal.terms.kind is Kind.DATA]
    organisations = [context.world.organisation_of(deal.terms.seller, moment_of(deal.created)) for deal in data]
    shares = shares_by_weight([deal.terms.price_e18 for deal in data])
    case = context.records.cases[release]
    pool = Pool(
        job=record.manifest.job,
        parent=record.manifest.parent,
        buyer=context.world.organisation_of(record.proposer, moment_of(record.submitted)),
        use_price_e18=record.manifest.use_price_e18,
        root=reading.raw(case.final.values["contributions"]) if case.final else bytes(32),
        by_price=dict(zip(organisations, shares, strict=True)),
    )
    exam.holds(place(event), "opened once", condition=release not in till.pools)
    exam.holds(place(event), "after its parent's", condition=not any(pool.parent) or pool.parent in till.pools)
    expected = (pool.job, pool.parent, pool.buyer, pool.use_price_e18, pool.root, tuple(organisations), shares)
    names = ("job", "parent", "buyer", "usePriceE18", "root", "organisations", "sharesPpb")
    told = tuple(tuple(value) if isinstance(value, list) else value for value in (found[name] for name in names))
    exam.equal(place(event), "what the pool goes by", expected=expected, found=told)
    till.pools[release] = pool


def bonus_settled(context: Context, exam: Examination, till: Till, event: Event) -> None:
    """Follow a bonus from its deposit into the pool of the release, or back."""
    job, release = _raw(event, "job"), _raw(event, "release")
    spot = (context.address("AgreementBook"), job)
    owner, amount = till.deposits.get(spot, (NOBODY, 0))
    found = (reading.address(event.values["owner"]), reading.number(event.values["amountE18"]))
    exam.equal(place(event), "the bonus that was locked", expected=(owner, amount), found=found)
    of_job = [each for each in context.records.releases.values() if each.manifest.job == job]
    chosen = [each.id for each in of_job if _was_released(each, moment_of(event))]
    exam.equal(place(event), "the release of the job", expected=chosen or [bytes(32)], found=[release])
    if not chosen:
        known, time_s = context.records.jobs[job], context.time_s(event)
        ended = known.finished is not None and moment_of(known.finished) < moment_of(event)
        over = ended or time_s > known.terms.deadline_s
        exam.holds(place(event), "the job had ended", condition=over, found=time_s)
    till.deposits[spot] = (NOBODY, 0)
    if chosen:
        till.fund(release, amount, time_s=context.time_s(event))
    else:
        till.balances[owner] += amount


def use_paid(context: Context, exam: Examination, till: Till, event: Event) -> None:
    """Divide a payment again, and compare every part with what the events say."""
    release, user = _raw(event, "release"), reading.address(event.values["user"])
    pool, amount = till.pools[release], reading.number(event.values["amountE18"])
    price = pool.use_price_e18 * reading.number(event.values["months"])
    exam.equal(place(event), "price of the months", expected=price, found=amount)
    until_s = max(_paid_before(context, event), context.time_s(event)) + MONTH_S * reading.number(
        event.values["months"]
    )
    exam.equal(place(event), "paid until", expected=until_s, found=event.values["untilS"])
    split = split_income(amount, fee_bps=fee_bps_at(context, moment_of(event)))
    ancestors = _ancestors(till, pool)
    royalties = royalties_by_generation(split.royalties_e18, len(ancestors))
    treasury = split.fee_e18 + split.royalties_e18 - sum(royalties)
    time_s = context.time_s(event)
    for ancestor, part in zip(ancestors, royalties, strict=True):
        till.fund(ancestor, part, time_s=time_s)
    till.fund(release, split.pool_e18, time_s=time_s)
    till.balances[context.address("Timelock")] += treasury
    till.balances[_operator(context, pool.buyer, moment_of(event))] += split.buyer_e18
    till.movements[event.transaction][(user, context.address(WHERE), amount)] += 1
    told = [_part(each) for each in _followers(context, event)]
    expected = [(release, ancestor, part) for ancestor, part in zip(ancestors, royalties, strict=True)]
    parts = (release, treasury, sum(royalties), split.buyer_e18, split.pool_e18)
    exam.equal(place(event), "how the payment was divided", expected=[*expected, parts], found=told)


def claimed(context: Context, exam: Examination, till: Till, event: Event) -> None:
    """Recompute what was due to a contributor, and to whom it went."""
    release, organisation = _raw(event, "release"), reading.number(event.values["organisation"])
    pool, share = till.pools[release], reading.number(event.values["sharePpb"])
    exam.holds(place(event), "it contributed", condition=organisation in pool.by_price, found=organisation)
    if any(pool.root):
        before = pool.proved.setdefault(organisation, share)
        exam.equal(place(event), "the share it proved before", expected=before, found=share)
    else:
        exam.equal(place(event), "share by signed price", expected=pool.by_price.get(organisation), found=share)
    left = till.pooled[release] - till.claimed[release]
    due = min(entitled(till.pooled[release], share) - pool.claims[organisation], left)
    amount, moment = reading.number(event.values["amountE18"]), moment_of(event)
    exam.equal(place(event), "what was due", expected=due, found=amount)
    consents = _consents(context, pool, organisation, moment)
    payee = _operator(context, organisation, moment) if consents else context.address("Timelock")
    exam.equal(place(event), "who was credited", expected=payee, found=event.values["to"])
    pool.claims[organisation] += amount
    till.claimed[release] += amount
    till.balances[payee] += amount


def root_dropped(context: Context, exam: Examination, till: Till, event: Event) -> None:
    """Require that there was money for 180 days and that nobody had proved a share."""
    release = _raw(event, "release")
    pool, funded_s = till.pools[release], till.funded_at_s.get(release)
    late = funded_s is not None and context.time_s(event) > funded_s + PROOF_PERIOD_S
    exam.equal(place(event), "the root that gave way", expected=pool.root, found=event.values["root"])
    exam.holds(place(event), "nobody proved a share in time", condition=late and not till.claimed[release])
    pool.root = bytes(32)


def check_standing(context: Context, exam: Examination, till: Till) -> None:
    """Compare every pool and share with what stands, and a root with the shares that were proved under it."""
    for release, pool in till.pools.items():
        where = f"pool of release {short(release)}"
        expected = (
            till.pooled[release],
            till.claimed[release],
            len(pool.by_price),
            True,
            pool.use_price_e18,
            pool.buyer,
            till.funded_at_s.get(release, 0),
            pool.job,
            pool.parent,
            pool.root,
        )
        context.state(exam, where, "what stands", expected=expected, call=(WHERE, "pool", release))
        for organisation, share in pool.by_price.items():
            claims = (share, pool.claims[organisation])
            call = (WHERE, "share", release, organisation)
            context.state(exam, where, f"share of organisation {organisation}", expected=claims, call=call)
        exam.holds(where, "no more was claimed than came in", condition=till.claimed[release] <= till.pooled[release])
        _check_root(exam, where, release, pool)


def _check_root(exam: Examination, where: str, release: bytes, pool: Pool) -> None:
    """Build the jury's tree again once every contributor has shown its share."""
    if not any(pool.root):
        return
    total = sum(pool.proved.values())
    exam.holds(where, "the jury's shares are no more than a whole", condition=total <= WHOLE_PPB, found=total)
    if pool.proved.keys() == pool.by_price.keys():
        shares = [Share(organisation=key, share_ppb=share) for key, share in pool.proved.items()]
        exam.equal(where, "root of the shares", expected=pool.root, found=share_root(release, shares))


def _was_released(release: Release, before: Moment) -> bool:
    decided = release.decided
    return decided is not None and decided.name == "Released" and moment_of(decided) < before


def _ancestors(till: Till, pool: Pool) -> list[bytes]:
    found: list[bytes] = []
    while any(pool.parent) and len(found) < MAX_GENERATIONS:
        found.append(pool.parent)
        pool = till.pools[pool.parent]
    return found


def _paid_before(context: Context, event: Event) -> int:
    until_s = 0
    for each in context.events(WHERE, "UsePaid"):
        same = all(each.values[name] == event.values[name] for name in ("release", "user"))
        if same and moment_of(each) < moment_of(event):
            until_s = reading.number(each.values["untilS"])
    return until_s


def _followers(context: Context, event: Event) -> list[Event]:
    """Return the events that tell how this payment was divided, up to the sum of its parts."""
    found: list[Event] = []
    for each in context.events(WHERE, "RoyaltyPaid", "IncomeSplit"):
        if each.transaction == event.transaction and moment_of(each) > moment_of(event):
            found.append(each)
            if each.name == "IncomeSplit":
                break
    return found


def _part(event: Event) -> tuple[object, ...]:
    names = ("release", "ancestor", "amountE18")
    if event.name == "IncomeSplit":
        names = ("release", "treasuryE18", "royaltiesE18", "buyerE18", "poolE18")  # type: ignore[assignment]
    return tuple(event.values[name] for name in names)


def _consents(context: Context, pool: Pool, organisation: int, moment: Moment) -> bool:
    for deal in context.records.agreements.values():
        own = context.world.organisation_of(deal.terms.seller, moment_of(deal.created)) == organisation
        if own and deal.terms.job == pool.job and deal.terms.kind is Kind.DATA:
            return deal.withdrawn is None or moment_of(deal.withdrawn) > moment
    return False


def _operator(context: Context, organisation: int, moment: Moment) -> Address:
    found = context.world.organisations.before(moment, organisation)
    return found.operator if found else NOBODY


def _raw(event: Event, name: str) -> bytes:
    return reading.raw(event.values[name])
