"""Index and dashboard of a home."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Final

from folkmoot.files import write_atomically
from folkmoot.home import Home
from folkmoot.network import find_network, open_chain
from folkmoot.processes import adopt_this
from folkmoot.settings import Settings

ADDRESS_FILE: Final = "dashboard.url"

if TYPE_CHECKING:
    from dashboard.settings import Supplies


def database_url(home: Home, settings: Settings) -> str:
    """Return where the index is kept."""
    return settings.database_url or f"sqlite:///{home.index_database}"


def run_index(home: Home, settings: Settings, stop: threading.Event) -> None:
    """Read the chain into the index until told to stop."""
    from governance.adapters.history import follow

    chain = open_chain(home, settings)
    adopt_this(home, "index")
    follow(chain, database_url(home, settings), stop)


def supplies(home: Home, settings: Settings) -> Supplies:
    """Return what the dashboard of a home is given."""
    from dashboard.settings import Supplies
    from governance.adapters.store import FileStore

    network = find_network(home, settings)
    return Supplies(
        database_url=database_url(home, settings),
        chain=open_chain(home, settings),
        wallet_rpc_url=network.rpc_url,
        is_development=network.development,
        store=FileStore(home.store),
    )


def run_dashboard(home: Home, settings: Settings, *, port: int, any_port: bool) -> None:
    """Serve the dashboard on loopback, and note its address in ``dashboard.url``."""
    from dashboard.serve import main, require_free

    chosen = _free_port(port) if any_port else port
    require_free(chosen)
    given = supplies(home, settings)
    write_atomically(home.root / ADDRESS_FILE, f"http://127.0.0.1:{chosen}\n")
    adopt_this(home, "dashboard")
    main(given, port=chosen)


def dashboard_address(home: Home) -> str:
    """Return where the dashboard of a home answers, or nothing if it does not."""
    try:
        address = (home.root / ADDRESS_FILE).read_text().strip()
        with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=1):
            return address
    except (OSError, ValueError):
        return ""


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    return wanted
