"""A deployment on a network that is not ours: planned in writing, carried on after an interruption, then endorsed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from folkmoot import constitution
from folkmoot.devnet.rpc import RpcClient
from folkmoot.files import storage_errors, write_atomically, write_json
from folkmoot.founding_file import FoundingPlan, Place
from folkmoot.home import Home
from governance.domain.deployment import Deployment
from governance.errors import DeploymentRefused

if TYPE_CHECKING:
    from governance.adapters.evm.creations import Creation
    from governance.adapters.evm.deployer import Deployer
    from governance.ports import Signer

DEARER = 10
"""So many times the price of the plan is paid at most: prices rise while one agrees, and nodes lie."""
TIMEOUT_S: Final = 600
HASHES_ONLY: Final = False
DECIMALS_CALL: Final = "0x313ce567"
WEI: Final = 10**18


@dataclass(slots=True)
class FileJournal:
    """Remembers a deployment on disk, so that it can be carried on after any transaction."""

    path: Path
    fields: dict[str, Any]

    @classmethod
    def open(cls, path: Path, *, subject: dict[str, object], resume: bool) -> FileJournal:
        """Open the journal of this very deployment, or begin one.

        Raises
        ------
        DeploymentRefused
            If one was begun and ``resume`` is not asked for, or there is none to resume, or it is of another one.
        """
        if resume != path.exists():
            begun = f"a deployment was begun here: carry it on with --resume, or remove {path} to begin anew"
            raise DeploymentRefused("there is nothing to resume; leave out --resume" if resume else begun)
        if not resume:
            return cls(path, {**subject, "start": None, "transactions": {}})
        with storage_errors(path):
            raw = path.read_bytes()
        try:
            fields = json.loads(raw)
            other = [name for name, value in subject.items() if fields[name] != value]
            if not isinstance(fields["transactions"], dict) or not isinstance(fields["start"], int | None):
                raise TypeError("start, transactions")
        except (ValueError, KeyError, TypeError) as problem:
            raise DeploymentRefused(f"{path} is damaged ({problem!r}); begin anew in another --home") from problem
        if other:
            raise DeploymentRefused(f"{path} is of another deployment: another {', '.join(other)}; nothing was sent")
        return cls(path, fields)

    @property
    def start(self) -> int | None:
        start = self.fields["start"]
        return None if start is None else int(start)

    def begin(self, start: int) -> None:
        self.fields["start"] = start
        self._write()

    def sent(self, contract: str) -> str | None:
        transaction = self.fields["transactions"].get(contract)
        return None if transaction is None else str(transaction)

    def note(self, contract: str, transaction: str) -> None:
        self.fields["transactions"][contract] = transaction
        self._write()

    def _write(self) -> None:
        write_json(self.path, self.fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What a deployment takes and what is there."""

    gas: dict[str, int]
    """Estimate by contract."""
    price_wei: int
    balance_wei: int

    @property
    def wei(self) -> int:
        return sum(self.gas.values()) * self.price_wei


@dataclass(frozen=True, slots=True, kw_only=True)
class Undertaking:
    """One deployment: who founds what, where, with which key."""

    home: Home
    place: Place
    plan: FoundingPlan
    signer: Signer
    chain_id: int
    genesis: str

    @classmethod
    def prepare(cls, home: Home, place: Place, plan: FoundingPlan, *, signer: Signer) -> Undertaking:
        """Look at the chain, and refuse what cannot come to a good end.

        Raises
        ------
        DeploymentRefused
            If the home has a deployment, the chain is another one, or the token is none with 18 decimals.
        """
        if home.deployment_file.exists():
            raise DeploymentRefused(f"{home.deployment_file} is there already; choose another --home")
        node = RpcClient(place.rpc_url)
        chain_id = node.number("eth_chainId")
        if place.chain_id not in {None, chain_id}:
            raise DeploymentRefused(f"{place.shown} serves chain {chain_id}, not {place.chain_id}; nothing was sent")
        if plan.token is not None:
            _require_token(node, plan.token)
        genesis = node.fields("eth_getBlockByNumber", "0x0", HASHES_ONLY).get("hash")
        if not 0 < chain_id < 1 << 64 or not isinstance(genesis, str):
            raise DeploymentRefused(f"{place.shown} names no chain id or no first block; nothing was sent")
        return cls(home=home, place=place, plan=plan, signer=signer, chain_id=chain_id, genesis=genesis)

    @property
    def journal_file(self) -> Path:
        """Where an interrupted deployment is remembered."""
        return self.home.root / "deploying.json"

    def journal(self, *, resume: bool) -> FileJournal:
        """Open the journal; it belongs to this chain, key, founding and code alone."""
        subject: dict[str, object] = {
            "chain_id": self.chain_id,
            "genesis": self.genesis,
            "deployer": self.signer.address,
            "content": self._content(),
        }
        return FileJournal.open(self.journal_file, subject=subject, resume=resume)

    def creations(self, *, start: int | None = None) -> tuple[Creation, ...]:
        """Return what will be sent."""
        return self._deployer().plan(constitution.arguments(self.plan.founding), start=start)

    def costs(self, creations: tuple[Creation, ...]) -> Costs:
        """Return what it will cost at the price of this moment."""
        deployer, node = self._deployer(), RpcClient(self.place.rpc_url)
        return Costs(
            gas={creation.contract: deployer.estimate(creation) for creation in creations},
            price_wei=node.number("eth_gasPrice"),
            balance_wei=node.number("eth_getBalance", self.signer.address, "latest"),
        )

    def carry_out(self, journal: FileJournal, *, price_wei: int, progress: Callable[[str], None]) -> Deployment:
        """Send what is missing, write the deployment file, and forget the journal.

        Parameters
        ----------
        price_wei
            Price of gas that the plan named; a chain that asks much more is sent nothing.
        """
        founding = constitution.arguments(self.plan.founding)
        done = self._deployer(most_wei=DEARER * price_wei).deploy(founding, progress=progress, journal=journal)
        write_atomically(self.home.deployment_file, done.deployment.to_json())
        self.journal_file.unlink(missing_ok=True)
        return done.deployment

    def _deployer(self, *, most_wei: int | None = None) -> Deployer:
        from governance.adapters.evm.deployer import Deployer

        given = {} if self.plan.token is None else {"Credit": self.plan.token}
        return Deployer(
            self.place.rpc_url,
            self.signer,
            given=given,
            chain_id=self.chain_id,
            timeout_s=TIMEOUT_S,
            most_wei=most_wei,
        )

    def _content(self) -> str:
        # With one first nonce these bytes are the same for the same founding, key and compiled code only.
        parts = [creation.data for creation in self.creations(start=0)]
        return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def written_plan(undertaking: Undertaking, creations: tuple[Creation, ...], costs: Costs) -> Iterator[str]:
    """Yield the lines of a plan for a person to agree to."""
    token = undertaking.plan.token
    yield f"chain {undertaking.chain_id} at {undertaking.place.shown}, genesis {undertaking.genesis}"
    yield f"deployer {undertaking.signer.address}, which keeps no power afterwards"
    yield ""
    yield f"{'contract':18} {'nonce':>5} {'address':42} {'gas, about':>12}"
    for creation in creations:
        gas = costs.gas[creation.contract]
        yield f"{creation.contract:18} {creation.nonce:5} {creation.address:42} {gas:12,}"
    if token is not None:
        yield f"{'Credit':18} {'':5} {token:42} {'stands':>12}"
    yield f"{'together':67} {sum(costs.gas.values()):12,}"
    yield ""
    enough = "" if costs.wei <= costs.balance_wei else ", which is NOT ENOUGH"
    yield f"cost at {costs.price_wei / 1e9:.3f} gwei: {costs.wei / WEI:.6f} of the chain's coin"
    yield f"the deployer has {costs.balance_wei / WEI:.6f}{enough}"
    yield ""
    yield from _powers(undertaking.plan)


def _powers(plan: FoundingPlan) -> Iterator[str]:
    founding = plan.founding
    two_thirds = -(-2 * len(founding.founders) // 3)
    yield "what each address will be able to do:"
    for founder in founding.founders:
        yield f"  {founder.name}"
        yield f"    {founder.member}  one vote of {len(founding.founders)}; proposes"
        seat = "; its evaluator may be drawn" if founder.name in founding.panel else ""
        yield f"    {founder.operator}  binds agents, sets mandates, holds the money{seat}"
    yield "  Timelock carries out what passed and nothing else; ModelGovernor alone queues and executes there"
    if plan.token is None:
        yield f"  {founding.treasury}  holds all {founding.supply_e18 // WEI:,} test credits; credits never vote"
    yield f"  {founding.guardian}  the guardian: stops proposals, suspends releases; two votes name another"
    for office, account in founding.officers:
        yield f"  {account}  signs candidates off for office {office}, until a vote names another"
    yield f"  nothing is released before {two_thirds} of {len(founding.founders)} members endorsed what was deployed"
    yield f"  nobody else can do anything; {two_thirds} of {len(founding.founders)} votes change rules, after a wait"
    begins, lasts = _days(constitution.VOTING_DELAY_S), _days(constitution.VOTING_PERIOD_S)
    waits = _days(constitution.TIMELOCK_S)
    yield f"windows: a vote begins after {begins}, lasts {lasts}, and what passed waits {waits}"
    yield f"rules: {len(founding.policy.rules)}, document {founding.policy.document_hash.hex()}"


def _days(seconds: int) -> str:
    return f"{seconds / constitution.DAY_S:g} d"


def _require_token(node: RpcClient, token: str) -> None:
    if node.call("eth_getCode", token, "latest") in {"0x", None}:
        raise DeploymentRefused(f"no contract stands at {token}, the token of the founding file; nothing was sent")
    if node.number("eth_call", {"to": token, "data": DECIMALS_CALL}, "latest") != 18:
        raise DeploymentRefused(f"the token {token} does not have 18 decimals; every amount here has")
