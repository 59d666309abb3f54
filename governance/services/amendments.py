"""Changes that a vote staged and that wait."""

from eth_utils.crypto import keccak

from governance.domain.amendment import Amendment, AmendmentState
from governance.domain.market import Address
from governance.domain.policy import Direction
from governance.ports import Chain, Receipt, Signer
from governance.services import reading

CONTRACT = "Amendments"


class Amendments:
    """The contract Amendments with types."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def staging(self, target: str, calldata: bytes) -> bytes:
        """Return the calldata with which a proposal stages a call of one of our contracts."""
        return self._chain.encode(CONTRACT, "stage", self._chain.address(target), calldata)

    def amendment(self, amendment: bytes) -> Amendment:
        """Return one change; an unknown one has no state."""
        return read_amendment(amendment, self._chain.read(CONTRACT, "amendment", amendment))

    def ids(self) -> list[bytes]:
        """Return the ids of all changes ever staged, oldest first."""
        events = self._chain.events(CONTRACT, ["Staged"], from_block=self._chain.first_block)
        return [reading.raw(event.values["id"]) for event in events]

    def open_ratification(self, sender: Signer, amendment: bytes) -> Receipt:
        """Open the second vote on a constitutional change."""
        return self._chain.send(sender, CONTRACT, "openRatification", (amendment,))

    def activate(self, sender: Signer, amendment: bytes) -> Receipt:
        """Carry out a change whose wait is over."""
        return self._chain.send(sender, CONTRACT, "activate", (amendment,))


def read_amendment(amendment: bytes, value: object) -> Amendment:
    """Return the change behind the contract's struct."""
    state, direction, target, from_s, until_s, code_hash, call_hash, nonce = reading.row(value, 8)
    return Amendment(
        id=amendment,
        state=AmendmentState(reading.number(state)),
        direction=Direction(reading.number(direction)),
        target=reading.address(target),
        from_s=reading.number(from_s),
        until_s=reading.number(until_s),
        code_hash=reading.raw(code_hash),
        call_hash=reading.raw(call_hash),
        nonce=reading.raw(nonce),
    )


def amendment_id(target: Address, call: bytes, sequence: int, *, chain_id: int, contract: Address) -> bytes:
    """Return the id that the contract gives to a staged call (docs/encodings.md, Ids)."""
    from eth_abi.abi import encode

    types = ["uint256", "address", "address", "bytes32", "uint64"]
    return keccak(encode(types, [chain_id, contract, target, keccak(call), sequence]))
