"""Every agent says once at its start, and then once a day of chain time, that it is alive."""

from agents.roles.desk import Desk, Plans

BEAT_S = 86_400


class Heartbeat:
    """Keeps ``lastSeenS`` of AgentRegistry fresh."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._last_s = 0

    def step(self) -> Plans:
        """Beat if it is time; nobody waits for it, so it names no due time."""
        now_s = self._desk.chain.now_s()
        if now_s - self._last_s >= BEAT_S:
            self._desk.registry.heartbeat(self._desk.signer)
            self._last_s = now_s
        return Plans()
