"""What a home keeps of its development chain, and the one file that says which of it counts."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from folkmoot.devnet.errors import DevnetError
from folkmoot.files import storage_errors, write_atomically, write_json
from folkmoot.home import Home

SNAPSHOTS_KEPT = 3
_FAUCET_WEI = 10**27
_GAS_LIMIT = 30_000_000
# Small enough for every wallet, large enough that two homes never meet.
_CHAIN_IDS = (100_000_000, 1_000_000_000)


@dataclass(frozen=True, slots=True)
class Identity:
    """Which chain this is. An epoch begins at creation and at every restored snapshot."""

    chain_id: int
    epoch: int
    port: int | None = None
    """Where it listened last, so that a wallet finds it again."""


@dataclass(frozen=True, slots=True, order=True)
class Snapshot:
    """One saved state; ``name`` is what a person types."""

    epoch: int
    number: int
    name: str
    path: Path


def new_chain_id(*, other_than: int = 0) -> int:
    """Draw a random chain id, so that no signature of one home is valid in another."""
    low, high = _CHAIN_IDS
    while (drawn := low + secrets.randbelow(high - low)) == other_than:
        pass
    return drawn


class ChainFolder:
    """Paths and atomic changes of ``HOME/chain``."""

    def __init__(self, home: Home) -> None:
        self.root = home.chain
        self.lock = self.root / "lock"
        self.genesis = self.root / "genesis.json"
        self.cache = self.root / "cache"
        self.node_log = self.root / "anvil.log"
        self.log = self.root / "supervisor.log"
        self.node_pid = self.root / "anvil.pid"
        self._identity = self.root / "chain.json"

    @property
    def exists(self) -> bool:
        """Whether a chain was created here."""
        return self._identity.exists()

    def create(self, faucet: str) -> Identity:
        """Write a genesis in which ``faucet`` owns all the gas money; last, the chain's identity.

        A crash before the last write leaves nothing that counts.
        """
        identity = Identity(new_chain_id(), 0)
        write_json(self.genesis, _genesis(identity.chain_id, faucet))
        self.write(identity)
        return identity

    def write(self, identity: Identity) -> None:
        """Replace the identity; this one rename is what makes a restore happen or not."""
        write_json(
            self._identity,
            {"chain_id": identity.chain_id, "epoch": identity.epoch, "port": identity.port},
        )

    def identity(self) -> Identity:
        """Read which chain this is.

        Raises
        ------
        DevnetError
            If the file is damaged.
        """
        try:
            fields = json.loads(self._identity.read_text())
            port = fields.get("port")
            return Identity(int(fields["chain_id"]), int(fields["epoch"]), None if port is None else int(port))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise DevnetError(
                f"{self._identity} does not say which chain this is ({error!r});"
                " move the home away to begin a new chain"
            ) from error

    def epoch(self, epoch: int) -> Path:
        """Return the folder of one epoch."""
        return self.root / f"epoch-{epoch}"

    def base(self, epoch: int) -> Path | None:
        """Return the state that an epoch began with; the first began with genesis, ``None``."""
        path = self.epoch(epoch) / "base.state"
        return path if path.exists() else None

    def journal(self, epoch: int) -> Path:
        """Return the journal of one epoch."""
        return self.epoch(epoch) / "journal.jsonl"

    def snapshots(self, epoch: int | None = None) -> tuple[Snapshot, ...]:
        """Return the snapshots of one epoch or of all, oldest first."""
        pattern = f"epoch-{'*' if epoch is None else epoch}/[0-9]*.state"
        found = []
        for path in self.root.glob(pattern):
            parts = path.stem.split("-")
            if len(parts) == 3 and parts[0].isdecimal() and parts[1].isdecimal():
                found.append(Snapshot(int(parts[0]), int(parts[1]), path.stem, path))
        return tuple(sorted(found))

    def save(self, epoch: int, *, number: int, block_hash: str, state: bytes) -> Snapshot:
        """Write a snapshot atomically and remove all but the newest three of its epoch."""
        name = f"{epoch}-{number:08d}-{block_hash.removeprefix('0x')[:8]}"
        path = self.epoch(epoch) / f"{name}.state"
        write_atomically(path, state)
        self._prune(self.snapshots(epoch))
        return Snapshot(epoch, number, name, path)

    def begin_epoch(self, snapshot: Snapshot) -> Identity:
        """Make ``snapshot`` the start of a new epoch with a new chain id."""
        old = self.identity()
        new = Identity(new_chain_id(other_than=old.chain_id), old.epoch + 1, old.port)
        with storage_errors(snapshot.path):
            state = snapshot.path.read_bytes()
        # A start that failed half-way may have left an epoch that never counted.
        self.journal(new.epoch).unlink(missing_ok=True)
        write_atomically(self.epoch(new.epoch) / "base.state", state)
        self.write(new)
        return new

    def _prune(self, snapshots: Sequence[Snapshot]) -> None:
        for old in snapshots[:-SNAPSHOTS_KEPT]:
            old.path.unlink(missing_ok=True)


def _genesis(chain_id: int, faucet: str) -> dict[str, object]:
    forks = (
        *("homestead", "eip150", "eip155", "eip158", "byzantium", "constantinople"),
        *("petersburg", "istanbul", "berlin", "london"),
    )
    config: dict[str, object] = {f"{fork}Block": 0 for fork in forks}
    config |= {"chainId": chain_id, "terminalTotalDifficulty": 0}
    config |= {"shanghaiTime": 0, "cancunTime": 0, "pragueTime": 0}
    return {
        "config": config,
        "nonce": "0x0",
        "timestamp": hex(int(time.time())),
        "extraData": "0x",
        "gasLimit": hex(_GAS_LIMIT),
        "difficulty": "0x0",
        "mixHash": "0x" + "00" * 32,
        "coinbase": "0x" + "00" * 20,
        "alloc": {faucet: {"balance": hex(_FAUCET_WEI)}},
    }
