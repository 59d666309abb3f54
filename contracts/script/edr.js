"use strict";
// A second client beside anvil: serves JSON-RPC from Hardhat's EDR, so that nothing of ours leans on one client's habits.
//   node contracts/script/edr.js PORT
// Prints one line when it answers, and stops at SIGTERM. Both run on revm: this is another mempool, miner and RPC, not
// another virtual machine.
// A development chain: whoever runs it can rewrite everything.

const http = require("http");
const edr = require("@nomicfoundation/edr-linux-x64-gnu");

const MOST_BYTES = 8 * 1024 * 1024;
const GWEI = 10n ** 9n;

function bytes(hex) {
  return Uint8Array.from(Buffer.from(hex.replace(/^0x/, ""), "hex"));
}

function providerConfig() {
  return {
    allowBlocksWithSameTimestamp: false,
    allowUnlimitedContractSize: false,
    bailOnCallFailure: true,
    bailOnTransactionFailure: false,
    chainId: 8_453_000n + BigInt(process.pid),
    networkId: 1n,
    coinbase: bytes("00000000000000000000000000000000000000ed"),
    defaultTransactionGasLimit: 16_777_216n,
    genesisState: edr.l1GenesisState(edr.l1HardforkFromString("Prague")),
    hardfork: "Prague",
    initialBaseFeePerGas: GWEI,
    initialParentBeaconBlockRoot: new Uint8Array(32),
    minGasPrice: 0n,
    mining: { autoMine: true, blockGasLimit: 30_000_000n, memPool: { order: "Priority" } },
    network: { genesisBlockGasLimit: 30_000_000n, genesisBlobGas: { gasUsed: 0n, excessGas: 0n } },
    observability: {},
    ownedAccounts: [],
    precompileOverrides: [],
  };
}

async function open() {
  const context = new edr.EdrContext();
  await context.registerProviderFactory(edr.L1_CHAIN_TYPE, edr.l1ProviderFactory());
  const silent = { enable: false, decodeConsoleLogInputsCallback: () => [], printLineCallback: () => undefined };
  return context.createProvider(
    edr.L1_CHAIN_TYPE,
    providerConfig(),
    silent,
    { subscriptionCallback: () => undefined },
    new edr.ContractDecoder(),
  );
}

function read(request) {
  return new Promise((resolve, reject) => {
    const parts = [];
    let size = 0;
    request.on("data", (part) => {
      size += part.length;
      if (size > MOST_BYTES) reject(new Error("too long"));
      else parts.push(part);
    });
    request.on("end", () => resolve(Buffer.concat(parts).toString("utf8")));
    request.on("error", reject);
  });
}

// Scripts that were written for anvil call its names; Hardhat's are the same but for the prefix.
async function call(provider, { id, method, params }) {
  const asked = { jsonrpc: "2.0", id, method: method.replace(/^anvil_/, "hardhat_"), params: params || [] };
  const { data } = await provider.handleRequest(JSON.stringify(asked));
  return { jsonrpc: "2.0", id, ...(typeof data === "string" ? JSON.parse(data) : data) };
}

async function answer(provider, request, response) {
  const asked = JSON.parse(await read(request));
  const one = !Array.isArray(asked);
  const answers = [];
  for (const each of one ? [asked] : asked) answers.push(await call(provider, each));
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(one ? answers[0] : answers));
}

async function main([port]) {
  const provider = await open();
  const server = http.createServer((request, response) => {
    answer(provider, request, response).catch((problem) => {
      response.statusCode = 500;
      response.end(problem.message);
    });
  });
  process.on("SIGTERM", () => process.exit(0));
  server.listen(Number(port), "127.0.0.1", () => console.log(`edr answers at port ${server.address().port}`));
}

main(process.argv.slice(2)).catch((problem) => {
  console.error(problem.message);
  process.exitCode = 1;
});
