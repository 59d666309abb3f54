// A browser wallet beside the page (EIP-1193, found by EIP-6963). Streamlit runs this module in the page's own
// window, without a frame, and calls it again whenever the data changes: everything here must bear repetition.
const wallet = (globalThis.__folkmootWallet ??= {
  announced: new Map(),
  provider: null,
  account: null,
  chainId: null,
  busy: false,
  listening: false,
  hooked: new WeakSet(),
  drawings: new Set(),
});

const DECLINED = 4001;
const REQUEST_OPEN = -32002;
const UNKNOWN_CHAIN = 4902;
const RECEIPT_TRIES = 60;
const RECEIPT_PAUSE_MS = 1000;

const redraw = () => wallet.drawings.forEach((draw) => draw());

function listen() {
  if (wallet.listening) return;
  wallet.listening = true;
  window.addEventListener("eip6963:announceProvider", (event) => {
    const detail = event.detail;
    if (!detail?.info?.uuid || !detail.provider) return;
    wallet.announced.set(detail.info.uuid, detail);
    reconnect(detail.provider).finally(redraw);
  });
  window.dispatchEvent(new Event("eip6963:requestProvider"));
  if (!wallet.announced.size && window.ethereum) reconnect(window.ethereum).finally(redraw);
}

function found() {
  if (wallet.announced.size) return [...wallet.announced.values()];
  return window.ethereum ? [{ info: { name: "browser wallet" }, provider: window.ethereum }] : [];
}

// After a reload the wallet still knows this page: eth_accounts asks without a window opening.
async function reconnect(provider) {
  if (wallet.provider) return;
  const accounts = await provider.request({ method: "eth_accounts" }).catch(() => []);
  if (accounts?.length && !wallet.provider) await use(provider, accounts);
}

async function use(provider, accounts) {
  wallet.provider = provider;
  wallet.account = accounts[0] ?? null;
  wallet.chainId = await provider.request({ method: "eth_chainId" });
  if (wallet.hooked.has(provider) || !provider.on) return;
  wallet.hooked.add(provider);
  provider.on("accountsChanged", (next) => {
    wallet.account = next[0] ?? null;
    redraw();
  });
  provider.on("chainChanged", (next) => {
    wallet.chainId = next;
    redraw();
  });
}

function explain(error) {
  const code = error?.code ?? error?.data?.originalError?.code;
  if (code === DECLINED) return "You declined in your wallet. Nothing was sent.";
  if (code === REQUEST_OPEN) return "Your wallet has a question open. Please look at it.";
  const text = String(error?.data?.message ?? error?.message ?? error).slice(0, 300);
  if (/insufficient funds/i.test(text)) return "This wallet has no money of this chain to pay the transaction with.";
  return `The wallet could not do it: ${text}`;
}

const onChain = (chain) => wallet.chainId !== null && BigInt(wallet.chainId) === BigInt(chain.id);

async function moveTo(chain) {
  const provider = wallet.provider;
  wallet.chainId = await provider.request({ method: "eth_chainId" });
  if (onChain(chain)) return;
  const chainId = "0x" + BigInt(chain.id).toString(16);
  try {
    await provider.request({ method: "wallet_switchEthereumChain", params: [{ chainId }] });
  } catch (error) {
    if ((error?.code ?? 0) !== UNKNOWN_CHAIN && error?.data?.originalError?.code !== UNKNOWN_CHAIN) throw error;
    const currency = { name: "Ether", symbol: "ETH", decimals: 18 };
    const added = { chainId, chainName: chain.name, nativeCurrency: currency, rpcUrls: [chain.rpcUrl] };
    await provider.request({ method: "wallet_addEthereumChain", params: [added] });
  }
  wallet.chainId = await provider.request({ method: "eth_chainId" });
  if (!onChain(chain)) throw new Error(`it is on chain ${BigInt(wallet.chainId)}, not on ${chain.id}`);
}

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const at = (selector) => parentElement.querySelector(selector);
  const who = at("#who");
  const buttons = at("#buttons");
  const message = at("#message");
  const say = (text, kind = "") => {
    message.textContent = text;
    message.dataset.kind = kind;
  };

  const guarded = (action) => async () => {
    if (wallet.busy) return;
    wallet.busy = true;
    redraw();
    try {
      await action();
    } catch (error) {
      say(explain(error), "error");
      setTriggerValue("failed", explain(error));
    } finally {
      wallet.busy = false;
      redraw();
    }
  };

  function button(label, kind, action) {
    const element = document.createElement("button");
    element.type = "button";
    element.textContent = label;
    element.className = kind;
    element.disabled = wallet.busy;
    element.onclick = guarded(action);
    buttons.append(element);
  }

  async function connect(provider) {
    say("Waiting for your wallet…");
    await use(provider, await provider.request({ method: "eth_requestAccounts" }));
    say("");
  }

  async function send(step) {
    const from = wallet.account;
    if (step.account && from?.toLowerCase() !== step.account.toLowerCase()) {
      throw new Error("the account in your wallet changed; the page has been told, look again and repeat");
    }
    say("Your wallet may ask to change the chain…");
    await moveTo(data.chain);
    say(`Confirm in your wallet: ${step.summary}`);
    const transaction = { from, to: step.to, data: step.data, value: "0x0" };
    const hash = await wallet.provider.request({ method: "eth_sendTransaction", params: [transaction] });
    say(`Sent as ${hash.slice(2, 10)}; waiting for the chain…`);
    setTriggerValue("sent", { hash, from, tag: step.tag });
    await settle(hash, step.tag);
  }

  async function settle(hash, tag) {
    for (let left = RECEIPT_TRIES; left > 0; left -= 1) {
      const receipt = await wallet.provider.request({ method: "eth_getTransactionReceipt", params: [hash] });
      if (receipt) {
        const good = BigInt(receipt.status) === 1n;
        say(good ? "The chain has it." : "The contract refused the transaction.", good ? "good" : "error");
        setTriggerValue("mined", { hash, good, tag });
        return;
      }
      await new Promise((resume) => setTimeout(resume, RECEIPT_PAUSE_MS));
    }
    say("The chain has not taken it yet; your wallet shows whether it still waits.", "error");
  }

  function drawConnected() {
    const right = onChain(data.chain);
    who.textContent = `${wallet.account.slice(2, 10)}${right ? "" : " · on another chain"}`;
    who.title = wallet.account;
    if (data.mode === "connect" && !right) button("Switch chain", "", () => moveTo(data.chain));
    if (data.mode === "connect") {
      button("Copy address", "", () => navigator.clipboard.writeText(wallet.account));
      return;
    }
    for (const step of data.steps) button(step.label, step.kind, () => send(step));
  }

  function draw() {
    buttons.replaceChildren();
    if (data.mode === "connect") setStateValue("account", wallet.account);
    if (wallet.provider && wallet.account) return drawConnected();
    who.textContent = "no wallet connected";
    who.title = "";
    const choices = found();
    if (!choices.length && !message.textContent) say("No browser wallet found. You can still read everything.");
    if (choices.length && !message.dataset.kind) say("");
    for (const choice of choices) {
      button(`Connect ${String(choice.info.name).slice(0, 30)}`, "primary", () => connect(choice.provider));
    }
  }

  wallet.drawings.add(draw);
  listen();
  draw();
  return () => wallet.drawings.delete(draw);
}
