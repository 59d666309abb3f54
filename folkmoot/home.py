"""The folder of one running network: where each file of it lives."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from folkmoot.files import storage_errors


@dataclass(frozen=True, slots=True)
class Home:
    """Paths of one home; nothing here touches the disk but ``create``."""

    root: Path

    @classmethod
    def create(cls, root: Path) -> Home:
        """Make the folder if it is not there.

        Raises
        ------
        StorageError
            If the folder cannot be made or written to.
        """
        home = cls(root.expanduser().resolve())
        with storage_errors(home.root):
            home.root.mkdir(parents=True, exist_ok=True)
            # A folder that exists may still be read-only, and root sees no permission bits.
            probe = home.root / ".writable"
            probe.write_bytes(b"")
            probe.unlink(missing_ok=True)
        return home

    @classmethod
    def at(cls, root: Path) -> Home:
        """Return the home at ``root`` without making it."""
        return cls(root.expanduser().resolve())

    @property
    def devnet_file(self) -> Path:
        """Where the development chain answers; there while it is up."""
        return self.root / "devnet.json"

    @property
    def chain(self) -> Path:
        """The development chain's own folder: journal, snapshots, lock, logs."""
        return self.root / "chain"

    @property
    def deployment_file(self) -> Path:
        """Chain id and the address of every contract."""
        return self.root / "deployment.json"

    @property
    def keys(self) -> Path:
        """Encrypted keystores, one file per name, and on a development chain their password."""
        return self.root / "keys"

    @property
    def store(self) -> Path:
        """Artifacts and evidence, addressed by content."""
        return self.root / "store"

    @property
    def index_database(self) -> Path:
        """The SQLite file of the index, unless FOLKMOOT_DATABASE names another."""
        return self.root / "index.sqlite"

    @property
    def report_file(self) -> Path:
        """What ``folkmoot demo`` did, for programs."""
        return self.root / "report.json"

    @property
    def logs(self) -> Path:
        """One log file per process."""
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """One file per process that was started for this home."""
        return self.root / "run"

    def agent(self, name: str) -> Path:
        """Return the private folder of one agent: its database, mandate, data."""
        return self.root / "agents" / name
