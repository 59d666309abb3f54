#!/usr/bin/env node
"use strict";
// Compiles contracts as contracts/script/build.js does and prints {name: {abi, bytecode}}; writes nothing.
//   node bench/compile.js bench/contracts/BareToken.sol @openzeppelin/contracts/governance/TimelockController.sol

const path = require("path");
const { compileOne } = require("../contracts/script/compiler");

function compiled(unit) {
  const name = path.basename(unit, ".sol");
  const { contract, errors } = compileOne(name, unit);
  const fatal = errors.filter((problem) => problem.severity === "error");
  if (fatal.length > 0 || !contract) throw new Error(`${unit} does not compile\n${fatal.map((problem) => problem.formattedMessage).join("\n")}`);
  return [name, { abi: contract.abi, bytecode: "0x" + contract.evm.bytecode.object }];
}

try {
  process.stdout.write(JSON.stringify(Object.fromEntries(process.argv.slice(2).map(compiled))));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
