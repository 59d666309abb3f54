"""Accounts proven from the state root of a block (yellow paper appendix D; EIP-1186 carries the proof)."""

from collections.abc import Sequence
from dataclasses import dataclass

import rlp
from eth_utils.crypto import keccak
from rlp.exceptions import RLPException

from governance.domain.market import Address
from governance.services.audit.blocks import Nibbles, nibbles
from governance.services.audit.sources import AnswerWrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a state root says about an address."""

    storage_root: bytes
    code_hash: bytes


def prove_account(root: bytes, address: Address, nodes: Sequence[bytes]) -> Account:
    """Return the account that nodes prove to stand under a state root.

    Parameters
    ----------
    nodes
        Encoded trie nodes from the root down to the account.

    Raises
    ------
    AnswerWrong
        If they prove nothing of the kind, or that there is no such account.
    """
    try:
        value = _follow(root, nibbles(keccak(bytes.fromhex(address[2:]))), nodes)
        _, _, storage_root, code_hash = rlp.decode(value)
    except (RLPException, ValueError, TypeError, IndexError) as problem:
        raise AnswerWrong(f"proof of {address}", "it does not lead from the block's state root") from problem
    return Account(storage_root=bytes(storage_root), code_hash=bytes(code_hash))


def _follow(root: bytes, path: Nibbles, nodes: Sequence[bytes]) -> bytes:
    wanted: object = root
    for raw in nodes:
        if wanted != keccak(raw):
            raise ValueError("a node that its parent does not name")
        node = rlp.decode(raw)
        if len(node) == 17:
            wanted, path = node[path[0]], path[1:]
            continue
        own = nibbles(node[0])
        skipped = own[1:] if own[0] & 1 else own[2:]
        if path[: len(skipped)] != skipped:
            raise ValueError("the path leads elsewhere")
        wanted, path = node[1], path[len(skipped) :]
        if own[0] & 2:
            if path:
                raise ValueError("the path ends too early")
            return bytes(node[1])
    raise ValueError("the proof ends before the account")
