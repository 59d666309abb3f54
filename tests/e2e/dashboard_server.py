"""Runs index and dashboard in a process of their own, as `folkmoot dashboard` does.

Usage: dashboard_server.py DEPLOYMENT_FILE RPC_URL DATABASE_URL STORE PORT
"""

import sys
import threading
from pathlib import Path

from dashboard import Supplies, run_server
from governance.adapters.evm import EvmChain
from governance.adapters.history import follow
from governance.adapters.store import FileStore
from governance.domain.deployment import Deployment


def serve(deployment_file: Path, rpc_url: str, database_url: str, *, store: Path, port: int) -> None:
    chain = EvmChain(rpc_url, Deployment.from_json(deployment_file.read_text()))
    threading.Thread(target=follow, args=(chain, database_url, threading.Event()), daemon=True).start()
    supplies = Supplies(
        database_url=database_url,
        chain=chain,
        wallet_rpc_url=rpc_url,
        is_development=True,
        store=FileStore(store),
    )
    run_server(supplies, port=port)


if __name__ == "__main__":
    file, rpc, database, folder, number = sys.argv[1:]
    serve(Path(file), rpc, database, store=Path(folder), port=int(number))
