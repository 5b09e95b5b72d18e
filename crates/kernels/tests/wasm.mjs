// Runs a WebAssembly module of tests in Node: `node wasm.mjs <instruction set> <module>`.
//
// A module fails when a test panics, and when it checks kernels but none on the instruction set that was asked for.
// Tests that expect a panic are left out by Rust's test harness: on this target a panic ends the module.

import { readFile } from "node:fs/promises";
import { basename } from "node:path";

const [demanded, path] = process.argv.slice(2);
const module = await WebAssembly.compile(await readFile(path));
const checks = {};
let exports;
const text = (start, length) =>
  new TextDecoder().decode(new Uint8Array(exports.memory.buffer, start, length));
const host = {
  checked_on: (start, length) => {
    const set = text(start, length);
    checks[set] = (checks[set] ?? 0) + 1;
  },
  panicked: (start, length) => console.error(text(start, length)),
};
({ exports } = await WebAssembly.instantiate(module, { host }));

const name = basename(path, ".wasm");
const counts = () => Object.entries(checks).map(([set, count]) => `${count} on ${set}`).join(", ");
exports.report_panics?.();
try {
  const code = exports.main(0, 0);
  if (code !== 0) throw new Error(`exit code ${code}`);
} catch (error) {
  console.error(`${name}: FAILED after checks: ${counts() || "none"}\n${error.stack}`);
  process.exit(1);
}
if (WebAssembly.Module.imports(module).length > 0 && !checks[demanded]) {
  console.error(`${name}: FAILED, no check on ${demanded}: ${counts() || "none at all"}`);
  process.exit(1);
}
console.log(`${name}: passed; checks: ${counts() || "of no instruction set"}`);
