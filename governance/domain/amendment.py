"""Changes that wait, exactly as the contract Amendments knows them."""

from dataclasses import dataclass
from enum import IntEnum

from governance.domain.market import Address
from governance.domain.policy import Direction


class AmendmentState(IntEnum):
    """Where a change stands."""

    NONE = 0
    STAGED = 1
    OPENED = 2
    RATIFIED = 3
    WITHDRAWN = 4
    ACTIVATED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """A call that Amendments makes after its wait."""

    id: bytes
    state: AmendmentState
    direction: Direction
    target: Address
    from_s: int
    """Chain time from which it may be activated, or its second vote be opened."""
    until_s: int
    """Last moment of what comes next."""
    code_hash: bytes
    call_hash: bytes
    nonce: bytes
    """What the second vote has to name; zero before it is opened."""

    @property
    def waits_for_its_vote(self) -> bool:
        """Say whether anyone may open the second vote once the wait is over."""
        return self.direction is Direction.CONSTITUTIONAL and self.state is AmendmentState.STAGED

    @property
    def waits_for_activation(self) -> bool:
        """Say whether anyone may carry it out once the wait is over."""
        last = AmendmentState.RATIFIED if self.direction is Direction.CONSTITUTIONAL else AmendmentState.STAGED
        return self.state is last
