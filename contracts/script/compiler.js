"use strict";
// What build.js and the forge wrapper share: where sources stand and how solc is asked.

const fs = require("fs");
const path = require("path");
const solc = require("solc");

const ROOT = path.resolve(__dirname, "..", "..");
const SOURCES = "contracts/src";

const SETTINGS = {
  evmVersion: "prague",
  optimizer: { enabled: true, runs: 200 },
  viaIR: false,
};

/** Path on disk of a source unit, or null when it is neither ours nor a dependency's. */
function locate(unit) {
  const base = unit.startsWith("@") ? path.join(ROOT, "node_modules") : ROOT;
  const file = path.join(base, unit);
  return fs.existsSync(file) ? file : null;
}

function readUnit(unit) {
  const file = locate(unit);
  if (file === null) return { error: `no file for ${unit}` };
  return { contents: fs.readFileSync(file, "utf8").replace(/\r\n/g, "\n") };
}

/** Compiles one contract with nothing but what it imports, so its artifact depends on no other file. */
function compileOne(name, unit = `${SOURCES}/${name}.sol`) {
  const wanted = ["abi", "evm.bytecode", "evm.deployedBytecode", "storageLayout"];
  const input = {
    language: "Solidity",
    sources: { [unit]: { content: readUnit(unit).contents } },
    settings: { ...SETTINGS, outputSelection: { [unit]: { [name]: wanted } } },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: readUnit }));
  const contract = output.contracts && output.contracts[unit] && output.contracts[unit][name];
  return { unit, contract, errors: output.errors || [] };
}

module.exports = { ROOT, SOURCES, SETTINGS, compileOne, version: () => solc.version() };
