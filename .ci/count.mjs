// Reads the events of `go test -json`: shows what failed in one run, or counts every test of several runs once.
import { readFileSync } from "node:fs";

const [mode, ...files] = process.argv.slice(2);
const rank = { skip: 0, pass: 1, fail: 2 };
const results = new Map(); // package and test -> skip, pass or fail
const output = new Map(); // package and test -> its lines

for (const file of files) {
  for (const line of readFileSync(file, "utf8").split("\n")) {
    if (line === "") continue;
    let event;
    try {
      event = JSON.parse(line);
    } catch {
      console.log(line); // make and the compiler do not speak JSON
      continue;
    }
    const key = `${event.Package ?? event.ImportPath} ${event.Test ?? ""}`;
    if (event.Action === "output" || event.Action === "build-output") {
      output.set(key, (output.get(key) ?? "") + event.Output);
    }
    if (!(event.Action in rank)) continue;
    // A package as a whole counts only when it fails without a failing test: it did not build, or panicked.
    if (event.Test === undefined && event.Action !== "fail") continue;
    if (event.Test === undefined && [...results].some(([k, v]) => v === "fail" && k.startsWith(event.Package + " "))) continue;
    const before = results.get(key);
    if (before === undefined || rank[event.Action] > rank[before]) results.set(key, event.Action);
  }
}

if (mode === "show") {
  for (const [key, result] of results) {
    if (result === "fail") process.stdout.write(`--- FAIL: ${key}\n${output.get(key) ?? ""}`);
  }
  for (const [key, text] of output) {
    if (key.startsWith("undefined ") || key.includes("[")) process.stdout.write(text);
  }
}
if (mode === "total") {
  // Why a test was skipped: a skipped witness must not go unseen.
  for (const [key, result] of [...results].sort()) {
    if (result !== "skip") continue;
    const why = (output.get(key) ?? "").split("\n").filter((l) => !/^\s*(===|---)/.test(l)).map((l) => l.trim()).filter(Boolean);
    console.log(`skipped: ${key}: ${why[0] ?? ""}`);
  }
}

const count = (what) => [...results.values()].filter((r) => r === what).length;
console.log(`${count("pass")} passed, ${count("fail")} failed, ${count("skip")} skipped`);
if (mode === "total" && (count("fail") > 0 || count("pass") === 0)) process.exitCode = 1;
