"""Addresses of nodes as they may be shown: many providers put a secret key into them."""

from urllib.parse import urlsplit


def without_secrets(url: str) -> str:
    """Return scheme, host and port of an address, and three dots for whatever else it has."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "an address that is none"
    if not parts.scheme or not host:
        return "an address without scheme or host"
    place = f"[{host}]" if ":" in host else host
    hidden = "/…" if parts.path.strip("/") or parts.query or parts.fragment or parts.username else ""
    return f"{parts.scheme}://{place}{'' if port is None else f':{port}'}{hidden}"
