// The server as a process: what it does at its start and at its end.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { bare, run, start, bin } from './server.mjs';

const request = (id, method, params = {}) => JSON.stringify({ jsonrpc: '2.0', id, method, params }) + '\n';
const hello = request(0, 'initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } });
const list = (id) => request(id, 'tools/call', { name: 'list_call_logs', arguments: { page_size: 1 } });

/** Its lines as messages, which all of them must be. */
const messages = (out) => out.split('\n').filter(Boolean).map((line) => {
  const m = JSON.parse(line);
  assert.equal(m.jsonrpc, '2.0', line);
  return m;
});

test('without calls to read it exits with 2 and says what to set', async () => {
  const { code, out, err } = await run(bin, [], bare);
  assert.equal(code, 2, err);
  assert.equal(out, '');
  for (const way of ['CEKURA_API_KEY', '--data', '--demo']) assert.ok(err.includes(way), `${way} is missing from: ${err}`);
});

test('a wrong flag exits with 2', async () => {
  const { code, err } = await run(bin, ['serve', '--dmo'], bare);
  assert.equal(code, 2, err);
  assert.match(err, /--demo/);
});

test('version', async () => {
  const { code, out } = await run(bin, ['version'], bare);
  assert.equal(code, 0);
  assert.match(out, /\S/);
});

test('the end of input right after requests still gets their answers', async () => {
  const { child, done } = start();
  child.stdin.end(hello + list(1) + list(2).trimEnd());
  const { code, out, err } = await done;
  assert.equal(code, 0, err);
  assert.deepEqual(messages(out).map((m) => m.id).sort(), [0, 1, 2]);
});

test('a line that is no message is refused, and the next one answered', async () => {
  const { child, done } = start();
  child.stdin.write('garbage\n');
  child.stdin.write(Buffer.from([0xff, 0xfe, 0x0a]));
  child.stdin.write('x'.repeat(5 << 20) + '\n');
  child.stdin.end(hello);
  const { code, out, err } = await done;
  assert.equal(code, 0, err);
  const all = messages(out);
  assert.equal(all.filter((m) => m.error && m.id === null).length, 3, out.slice(0, 500));
  assert.ok(all.some((m) => m.id === 0 && m.result));
});

test('SIGTERM ends it within a second, with 0', async () => {
  const { child, done } = start();
  child.stdin.write(hello);
  await once(child.stdout, 'data');
  const began = performance.now();
  child.kill('SIGTERM');
  const { code, signal } = await done;
  const took = performance.now() - began;
  assert.deepEqual({ code, signal }, { code: 0, signal: null });
  assert.ok(took < 1000, `${took} ms`);
});

test('a client that is gone ends it, with 0', async () => {
  const { child, done } = start();
  child.stdin.write(hello);
  await once(child.stdout, 'data');
  child.stdout.destroy();
  child.stdin.write(list(1));
  const { code, signal, err } = await done;
  assert.deepEqual({ code, signal }, { code: 0, signal: null }, err);
});
