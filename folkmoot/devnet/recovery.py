"""Bringing a chain back: the journal replayed from where it can be, each block hash compared."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from folkmoot.devnet.anvil import Anvil
from folkmoot.devnet.errors import DevnetError, ReplayFailed, StrangerInBlock
from folkmoot.devnet.folder import ChainFolder, Identity
from folkmoot.devnet.journal import read_journal
from folkmoot.devnet.node import Block
from folkmoot.devnet.rpc import RpcRefused
from governance.errors import ChainUnreachable

_TRIES = 3


@dataclass(frozen=True, slots=True)
class Start:
    """A state from which the journal can be replayed; ``state`` is ``None`` for genesis."""

    name: str
    state: Path | None


@dataclass(frozen=True, slots=True)
class Recovered:
    """A node with its history back."""

    node: Anvil
    start: str
    replayed: int
    differs_from: int | None
    """First block that came out with another hash than the journal has; ``None`` if none did."""
    hashes: dict[int, str]
    """The journal's hash of each block."""
    failures: tuple[str, ...] = ()
    """Starts that were tried before and did not work."""

    def sentence(self) -> str:
        """Say in one sentence how the chain came back."""
        if not self.hashes:
            return "a new chain"
        text = f"replayed {self.replayed} blocks after {self.start}: "
        if self.differs_from is not None:
            text += f"block hashes differ from block {self.differs_from} on"
        else:
            text += "every block hash came out the same"
        return "; ".join([*self.failures, text])


def recover(folder: ChainFolder, identity: Identity, *, history: int, start_node: Callable[[], Anvil]) -> Recovered:
    """Start a node and give it its history back.

    A short journal is replayed as a whole, because old state stays readable only behind blocks
    that this process mined; a long one from the newest snapshot that works.

    Parameters
    ----------
    history
        The longest journal, in blocks, that is replayed as a whole.
    start_node
        Starts a fresh node that does not mine.

    Raises
    ------
    DevnetError
        If no start leads to the end of the journal; nothing on disk has changed.
    """
    journal = read_journal(folder.journal(identity.epoch))
    failures: list[str] = []
    differing: Start | None = None
    for start in _starts(folder, identity, journal, history):
        recovered = _attempt(start, journal, start_node, failures)
        if recovered is None:
            continue
        if recovered.differs_from is None:
            return recovered
        failures.append(f"after {start.name} block {recovered.differs_from} came out differently")
        differing = differing or start
        recovered.node.kill()
    again = _attempt(differing, journal, start_node, failures) if differing else None
    if again is None:
        raise DevnetError(
            f"the chain does not come back: {'; '.join(failures)}. The journal is untouched;"
            " `folkmoot devnet restore` goes back to a snapshot"
        )
    return again


def _starts(folder: ChainFolder, identity: Identity, journal: list[Block], history: int) -> list[Start]:
    base = folder.base(identity.epoch)
    root = Start("genesis" if base is None else "the restored snapshot", base)
    snapshots = [Start(f"snapshot {one.name}", one.path) for one in reversed(folder.snapshots(identity.epoch))]
    return [root, *snapshots] if len(journal) <= history else [*snapshots, root]


def _attempt(
    start: Start, journal: list[Block], start_node: Callable[[], Anvil], failures: list[str]
) -> Recovered | None:
    reason = ""
    for _ in range(_TRIES):
        node = start_node()
        try:
            return _replay(node, start, journal, tuple(failures))
        except StrangerInBlock as error:
            # An agent that is still up sent something in between: then once more.
            node.kill()
            reason = str(error)
        except (ReplayFailed, RpcRefused, ChainUnreachable, OSError) as error:
            node.kill()
            reason = str(error)
            break
        except BaseException:
            node.kill()
            raise
    failures.append(f"{start.name} did not work ({reason})")
    return None


def _replay(node: Anvil, start: Start, journal: list[Block], failures: tuple[str, ...]) -> Recovered:
    if start.state is not None:
        node.load(start.state.read_bytes())
    first = node.head()[0]
    hashes = {block.number: block.hash for block in journal}
    differs_from: int | None = None
    if first in hashes and node.head()[2] != hashes[first]:
        differs_from = first
    blocks = [block for block in journal if block.number > first]
    for block in blocks:
        if node.replay(block) != block.hash and differs_from is None:
            differs_from = block.number
    return Recovered(node, start.name, len(blocks), differs_from, hashes, failures)


def clean_cache(folder: ChainFolder) -> None:
    """Remove old states that a killed node left behind; they can be many megabytes."""
    shutil.rmtree(folder.cache, ignore_errors=True)
