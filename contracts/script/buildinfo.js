#!/usr/bin/env node
"use strict";
// Writes what slither reads: the syntax trees of all sources below a folder, as a build-info file of forge.
//   node contracts/script/buildinfo.js SOURCES FOLDER
// forge's own file will not do: it leaves out the trees of what is imported at second hand, and slither then
// misses whole base contracts without failing. Nothing is translated to bytecode, which takes most of the time.

const fs = require("fs");
const path = require("path");
const solc = require("solc");
const { ROOT, SETTINGS } = require("./compiler");

function sourcesBelow(folder) {
  const files = fs.readdirSync(folder, { recursive: true }).filter((file) => file.endsWith(".sol"));
  const named = files.sort().map((file) => path.join(folder, file));
  return Object.fromEntries(named.map((file) => [file, { content: fs.readFileSync(file, "utf8") }]));
}

function inputFor(folder) {
  return {
    language: "Solidity",
    sources: sourcesBelow(folder),
    settings: {
      ...SETTINGS,
      remappings: [`@openzeppelin/=${path.join(ROOT, "node_modules", "@openzeppelin")}/`],
      outputSelection: { "*": { "*": ["abi", "userdoc", "devdoc"], "": ["ast"] } },
    },
  };
}

function read(file) {
  return fs.existsSync(file) ? { contents: fs.readFileSync(file, "utf8") } : { error: `no file ${file}` };
}

// The reader wants these fields to be there; no detector looks at them.
function withoutCode(contract) {
  const none = { object: "", sourceMap: "", linkReferences: {} };
  return { ...contract, metadata: "", evm: { bytecode: none, deployedBytecode: none, methodIdentifiers: {} } };
}

function mapped(object, change) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}

function main([sources, folder]) {
  const input = inputFor(path.resolve(sources));
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: read }));
  const errors = (output.errors || []).filter((problem) => problem.severity === "error");
  for (const problem of errors) console.error(problem.formattedMessage.trim());
  if (errors.length > 0) return 1;
  const contracts = mapped(output.contracts, (unit) => mapped(unit, withoutCode));
  fs.mkdirSync(folder, { recursive: true });
  const file = { solcVersion: solc.version().split("+")[0], input, output: { ...output, contracts } };
  fs.writeFileSync(path.join(folder, "all.json"), JSON.stringify(file));
  return 0;
}

process.exitCode = main(process.argv.slice(2));
