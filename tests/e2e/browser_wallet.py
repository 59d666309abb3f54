"""A wallet for a real browser: announces itself by EIP-6963, and signs with a real key in the test's process."""

import json
from dataclasses import dataclass, field
from typing import Any

import requests
from playwright.sync_api import Page

from governance.adapters.evm import KeySigner

DECLINED, UNKNOWN_CHAIN = 4001, 4902

PROVIDER = """(() => {
  const listeners = {};
  const provider = {
    async request({ method, params }) {
      const answer = JSON.parse(await window.__testWallet(method, JSON.stringify(params ?? [])));
      if (answer.event) (listeners[answer.event] ?? []).forEach((listener) => listener(answer.value));
      if (answer.error) throw Object.assign(new Error(answer.error.message), { code: answer.error.code });
      return answer.result;
    },
    on(name, listener) { (listeners[name] ??= []).push(listener); },
    removeListener() {},
  };
  window.__testWalletEmit = (name, value) => (listeners[name] ?? []).forEach((listener) => listener(value));
  if (LEGACY) { window.ethereum = provider; return; }
  const info = { uuid: "3f4d1f6e-0000-4000-8000-000000000001", name: "Test Wallet", icon: "", rdns: "test.wallet" };
  const announce = () =>
    window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail: Object.freeze({ info, provider }) }));
  window.addEventListener("eip6963:requestProvider", announce);
  announce();
})();"""


class WalletError(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class BrowserWallet:
    """One account; starts on another chain that it knows, and does not know ours until it is added."""

    signer: KeySigner
    rpc_url: str
    chain_id: int
    on_chain: int = 1
    known_chains: set[int] = field(default_factory=lambda: {1})
    connected: bool = False
    declines: bool = False
    asked: list[str] = field(default_factory=list)
    added: dict[str, Any] = field(default_factory=dict)

    def install(self, page: Page, *, legacy: bool = False) -> None:
        page.expose_function("__testWallet", self._answer)
        page.add_init_script(PROVIDER.replace("LEGACY", json.dumps(legacy)))

    def become(self, page: Page, signer: KeySigner) -> None:
        self.signer = signer
        page.evaluate("account => window.__testWalletEmit('accountsChanged', [account])", signer.address)

    def _answer(self, method: str, parameters: str) -> str:
        self.asked.append(method)
        try:
            return json.dumps(self._carry_out(method, json.loads(parameters)))
        except WalletError as refusal:
            return json.dumps({"error": {"code": refusal.code, "message": str(refusal)}})

    def _carry_out(self, method: str, parameters: list[Any]) -> dict[str, Any]:
        if method in {"wallet_switchEthereumChain", "wallet_addEthereumChain"}:
            if method == "wallet_addEthereumChain":
                self.added = parameters[0]
                self.known_chains.add(int(self.added["chainId"], 16))
            return self._switch(int(parameters[0]["chainId"], 16))
        return {"result": self._tell(method, parameters)}

    def _tell(self, method: str, parameters: list[Any]) -> Any:
        match method:
            case "eth_accounts":
                return [self.signer.address] if self.connected else []
            case "eth_requestAccounts":
                self.connected = True
                return [self.signer.address]
            case "eth_chainId":
                return hex(self.on_chain)
            case "eth_sendTransaction":
                return self._send(parameters[0])
            case _:
                return self._rpc(method, parameters)

    def _switch(self, chain_id: int) -> dict[str, Any]:
        if chain_id not in self.known_chains:
            raise WalletError(UNKNOWN_CHAIN, "Unrecognized chain ID")
        self.on_chain = chain_id
        return {"result": None, "event": "chainChanged", "value": hex(chain_id)}

    def _send(self, asked: dict[str, str]) -> str:
        if self.declines:
            raise WalletError(DECLINED, "User rejected the request.")
        assert self.on_chain == self.chain_id, "a wallet on another chain must never be asked to send"
        assert asked["from"] == self.signer.address
        transaction = {
            "to": asked["to"],
            "data": asked["data"],
            "value": int(asked["value"], 16),
            "nonce": int(self._rpc("eth_getTransactionCount", [self.signer.address, "pending"]), 16),
            "gas": 2_000_000,
            "maxFeePerGas": 10**10,
            "maxPriorityFeePerGas": 10**9,
            "chainId": self.chain_id,
            "type": 2,
        }
        raw = self.signer.sign_transaction(transaction)
        return str(self._rpc("eth_sendRawTransaction", ["0x" + raw.hex()]))

    def _rpc(self, method: str, parameters: list[Any]) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        answer = requests.post(self.rpc_url, json=body, timeout=10).json()
        if "error" in answer:
            raise WalletError(answer["error"]["code"], answer["error"]["message"])
        return answer["result"]
