#!/usr/bin/env node
"use strict";
// Builds contracts/artifacts/<Name>.json, one file for each contract in contracts/src, byte for byte reproducible.
//   node contracts/script/build.js                build all; nothing is written unless everything compiles
//   node contracts/script/build.js --only NAME    build one (may be repeated)
//   node contracts/script/build.js --check        compare with what is committed; exit 1 names what differs

const fs = require("fs");
const path = require("path");
const { ROOT, SOURCES, SETTINGS, compileOne, version } = require("./compiler");

const ARTIFACTS = path.join(ROOT, "contracts", "artifacts");
// EIP-170 allows 24,576; the margin leaves room for a compiler that packs worse.
const SIZE_LIMIT = 24000;

function parseArguments(argv) {
  const options = { check: false, only: [] };
  for (let i = 0; i < argv.length; i += 1) {
    if (argv[i] === "--check") options.check = true;
    else if (argv[i] === "--only" && argv[i + 1]) options.only.push(argv[(i += 1)]);
    else throw new Error(`unknown argument ${argv[i]}; use --check or --only NAME`);
  }
  return options;
}

function contractNames(only) {
  const all = fs
    .readdirSync(path.join(ROOT, SOURCES))
    .filter((file) => file.endsWith(".sol"))
    .map((file) => path.basename(file, ".sol"))
    .sort();
  const unknown = only.filter((name) => !all.includes(name));
  if (unknown.length > 0) throw new Error(`no contract ${unknown.join(", ")} in ${SOURCES}`);
  return only.length > 0 ? all.filter((name) => only.includes(name)) : all;
}

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
}

// AST ids change with unrelated edits of an imported file; slots, offsets and type names do not.
function withoutAstIds(layout) {
  const text = JSON.stringify(layout, (key, value) => (key === "astId" ? undefined : value));
  return JSON.parse(text.replace(/(t_(?:struct|enum|contract|userDefinedValueType)\([A-Za-z0-9_]+\))\d+/g, "$1"));
}

function immutableNames(references) {
  return Object.values(references)
    .flat()
    .sort((a, b) => a.start - b.start);
}

function artifact(name, unit, contract) {
  const deployed = contract.evm.deployedBytecode;
  return sorted({
    contractName: name,
    sourceName: unit,
    compiler: version(),
    settings: SETTINGS,
    abi: contract.abi,
    bytecode: "0x" + contract.evm.bytecode.object,
    deployedBytecode: "0x" + deployed.object,
    // Where constructor values stand in the deployed code, so that a reader can blank them before comparing.
    immutableReferences: immutableNames(deployed.immutableReferences || {}),
    storageLayout: withoutAstIds(contract.storageLayout),
  });
}

// Warnings in dependencies are theirs to fix.
function isOurs(problem) {
  return problem.severity === "error" || !problem.sourceLocation || problem.sourceLocation.file.startsWith(SOURCES);
}

function buildOne(name) {
  const { unit, contract, errors } = compileOne(name);
  for (const problem of errors.filter(isOurs)) console.error(problem.formattedMessage.trim());
  if (!contract || errors.some((problem) => problem.severity === "error")) return { name, failed: "does not compile" };
  const size = contract.evm.deployedBytecode.object.length / 2;
  console.log(`${name.padEnd(18)} ${String(size).padStart(6)} bytes`);
  if (size === 0) return { name, failed: "has no code; move it to a folder below" };
  if (size > SIZE_LIMIT) return { name, failed: `is ${size} bytes; the limit is ${SIZE_LIMIT}` };
  return { name, text: JSON.stringify(artifact(name, unit, contract), null, 1) + "\n" };
}

function differing(results, complete) {
  const expected = new Map(results.map((result) => [`${result.name}.json`, result.text]));
  const present = fs.existsSync(ARTIFACTS) ? fs.readdirSync(ARTIFACTS) : [];
  const bad = [...expected].filter(([file, text]) => !present.includes(file) || fs.readFileSync(path.join(ARTIFACTS, file), "utf8") !== text);
  const stale = complete ? present.filter((file) => !expected.has(file)) : [];
  return [...bad.map(([file]) => file), ...stale];
}

function write(results) {
  fs.mkdirSync(ARTIFACTS, { recursive: true });
  for (const { name, text } of results) fs.writeFileSync(path.join(ARTIFACTS, `${name}.json`), text);
}

function main() {
  const options = parseArguments(process.argv.slice(2));
  const results = contractNames(options.only).map(buildOne);
  const failures = results.filter((result) => result.failed);
  for (const { name, failed } of failures) console.error(`${SOURCES}/${name}.sol ${failed}`);
  if (failures.length > 0) return 1;
  if (!options.check) {
    write(results);
    return 0;
  }
  const files = differing(results, options.only.length === 0);
  for (const file of files) console.error(`contracts/artifacts/${file} differs; run node contracts/script/build.js and commit`);
  return files.length > 0 ? 1 : 0;
}

try {
  process.exitCode = main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 2;
}
