"""Artifacts between agents: served from one public folder, fetched by digest, always verified."""

import hashlib
import os
import re
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from uagents_core.envelope import Envelope
from uagents_core.identity import Identity

from agents.net.errors import ArtifactError
from agents.protocols.messages import ArtifactTicket, schema_digest

SHA256_HEX = re.compile(r"[0-9a-f]{64}")
MAX_ARTIFACT_BYTES = 32 * 1024 * 1024
TICKET_S = 60


class PublicStore:
    """A folder of files named by their SHA-256; everything in it may be read by active agents.

    Parameters
    ----------
    folder
        Created when missing. Nothing but what peers may see belongs here.
    max_bytes
        Larger files are not served.
    """

    def __init__(self, folder: Path, *, max_bytes: int = MAX_ARTIFACT_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, content: bytes) -> str:
        """Store bytes durably and return their SHA-256, 64 lower-case hex digits.

        Raises
        ------
        ArtifactError
            If the content is larger than this store serves.
        """
        if len(content) > self._max_bytes:
            raise ArtifactError(f"{len(content)} bytes are more than the {self._max_bytes} served")
        digest = hashlib.sha256(content).hexdigest()
        path = self._folder / digest
        if path.is_file():
            return digest
        descriptor, name = tempfile.mkstemp(dir=self._folder)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
        return digest

    def read(self, digest: str) -> bytes:
        """Return the content behind a digest.

        Raises
        ------
        ArtifactError
            If the digest is malformed or unknown, or its file is too large or altered.
        """
        if not SHA256_HEX.fullmatch(digest):
            raise ArtifactError("an artifact is named by 64 lower-case hex digits")
        try:
            # No link is followed: one in this folder could name any file of this machine.
            descriptor = os.open(self._folder / digest, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError as error:
            raise ArtifactError(f"no artifact {digest[:8]}… here") from error
        with os.fdopen(descriptor, "rb") as file:
            content = file.read(self._max_bytes + 1)
        if len(content) > self._max_bytes:
            raise ArtifactError(f"artifact {digest[:8]}… is too large to serve")
        if hashlib.sha256(content).hexdigest() != digest:
            raise ArtifactError(f"artifact {digest[:8]}… was altered in the store")
        return content


@dataclass(frozen=True, slots=True)
class ArtifactSource:
    """Who serves an artifact."""

    agent_address: str
    """The ``agent1…`` address of the peer."""
    endpoint: str
    """Its base URL, e.g. ``http://127.0.0.1:8101``."""


def sign_ticket(identity: Identity, target: str, sha256: str) -> str:
    """Return a signed envelope (JSON) that asks ``target`` for one artifact, once, within 60 s."""
    envelope = Envelope(
        version=1,
        sender=identity.address,
        target=target,
        session=uuid.uuid4(),
        schema_digest=schema_digest(ArtifactTicket),
        expires=int(time.time()) + TICKET_S,
    )
    envelope.encode_payload(ArtifactTicket(msg_id=f"ticket:{sha256}", sha256=sha256).json())
    envelope.sign(identity)
    return str(envelope.model_dump_json())


async def fetch_artifact(
    source: ArtifactSource,
    sha256: str,
    *,
    identity: Identity,
    max_bytes: int = MAX_ARTIFACT_BYTES,
    timeout_s: float = 30.0,
) -> bytes:
    """Fetch an artifact from a peer and verify it.

    Parameters
    ----------
    source
        The peer; take its endpoint from the directory, which knows which hosts are allowed.
    sha256
        64 lower-case hex digits.
    identity
        Our own; the peer serves active agents only.
    max_bytes
        More is not read.

    Raises
    ------
    ArtifactError
        If the peer does not serve it, or serves too much, too slowly, or something else.
    """
    if not SHA256_HEX.fullmatch(sha256):
        raise ArtifactError("an artifact is named by 64 lower-case hex digits")
    headers = {"x-folkmoot-ticket": sign_ticket(identity, source.agent_address, sha256)}
    url = f"{source.endpoint}/artifact/{sha256}"
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=False) as session,
            session.get(url, headers=headers, allow_redirects=False) as response,
        ):
            if response.status != 200:
                raise ArtifactError(f"{url} answered {response.status}")
            content = await _read_at_most(response, max_bytes)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise ArtifactError(f"{url}: {type(error).__name__} {error}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ArtifactError(f"{url} served {found[:8]}… instead")
    return content


async def _read_at_most(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    content = bytearray()
    async for chunk in response.content.iter_chunked(65_536):
        content += chunk
        if len(content) > max_bytes:
            raise ArtifactError(f"{response.url} serves more than the {max_bytes} bytes accepted")
    return bytes(content)
