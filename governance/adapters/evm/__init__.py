"""The chain through web3: reading, sending, deploying, keys."""

from governance.adapters.evm.chain import EvmChain
from governance.adapters.evm.keys import KeySigner

__all__ = ["EvmChain", "KeySigner"]
