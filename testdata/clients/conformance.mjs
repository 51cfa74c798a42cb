// The MCP conformance suite, in both revisions, against the built server as it is shipped, and against the suite's own
// fixtures on the same transport (the program FIXTURES). What is known to fail stands in ../conformance with its reason:
// a failure that does not stand there, and an entry that does not fail, fail the run.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { bin, free, listening, node, run } from './server.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const suite = here('node_modules/@modelcontextprotocol/conformance/dist/index.js');
const revisions = ['2025-11-25', '2026-07-28'];

/** The names of a baseline; one scenario, or one check of it after a colon. */
const known = (file) => readFileSync(file, 'utf8').split('\n').filter((l) => /^\s+- /.test(l)).map((l) => l.trim().slice(2));

/** What is wrong with a summary, in the light of a baseline. The suite judges neither what it does not score nor names it does not know. */
function wrong(summary, baseline) {
  const failing = new Set([...summary.matchAll(/^✗ (\S+): /gm)].map((m) => m[1]));
  const expected = new Set([...summary.matchAll(/^ {2}~ (\S+)$/gm)].map((m) => m[1]));
  const scenario = (name) => name.split(':')[0];
  const named = new Set(baseline.map(scenario));
  return [
    ...[...failing].filter((name) => !named.has(name)).map((name) => `${name} fails and is not in the baseline`),
    ...baseline.filter((name) => !expected.has(name) && !failing.has(scenario(name))).map((name) => `${name} is in the baseline and does not fail`),
  ];
}

/** Runs a revision against url and prints its summary: whether all is as expected. */
async function conform(url, revision, what) {
  const baseline = here(`../conformance/${what}-${revision}.yml`);
  const { code, out, err } = await run(node, [suite, 'server', '--url', url, '--requirements', revision, '--expected-failures', baseline],
    { PATH: process.env.PATH }, 300_000);
  const summary = stripVTControlCharacters(out.slice(Math.max(0, out.indexOf('=== SUMMARY ==='))));
  const faults = summary.startsWith('=== SUMMARY') ? wrong(summary, known(baseline)) : ['the suite gave no summary'];
  console.log([`\n# ${what}, ${revision}`, summary.trim(), err.trim(), ...faults].filter(Boolean).join('\n'));
  return code === 0 && faults.length === 0;
}

let passed = 0;
let failed = 0;
for (const [what, command, args] of [
  ['shipped', bin, (addr) => ['serve', '--demo', '--http', addr, '--no-auth', '--rate', '1000000', '--log-level', 'warn']],
  ['fixtures', process.env.FIXTURES, (addr) => [addr]],
]) {
  const addr = `127.0.0.1:${await free()}`;
  const server = await listening(command, args(addr), addr);
  for (const revision of revisions) {
    // The suite gives a stream 0.8 s to begin, which a busy machine may miss: what goes wrong has to do so twice.
    const again = () => conform(`http://${addr}/mcp`, revision, what);
    (await again()) || (await again()) ? passed++ : failed++;
  }
  await server.stop();
}
console.log(`\nconformance: ${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
