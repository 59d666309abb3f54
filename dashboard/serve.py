"""Starts the dashboard's server on loopback."""

import logging
import socket
from typing import Final

from dashboard.settings import Supplies, provide
from governance.errors import FolkmootError

HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8501


class PortTaken(FolkmootError):
    """Another program listens on the port that was asked for."""


def main(supplies: Supplies, *, port: int = DEFAULT_PORT) -> None:
    """Serve the dashboard on 127.0.0.1 until the process is told to stop.

    Raises
    ------
    PortTaken
        If the port is in use.
    """
    require_free(port)
    provide(supplies)
    # Streamlit and its server take a second to import; nobody else should wait for that.
    import uvicorn

    from dashboard.asgi import application

    logging.getLogger("streamlit").setLevel(logging.WARNING)
    uvicorn.run(
        application(),
        host=HOST,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )


def require_free(port: int) -> None:
    """Refuse a port that somebody else listens on.

    Raises
    ------
    PortTaken
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as problem:
            raise PortTaken(f"port {port} is in use; choose another with --port or free it") from problem
