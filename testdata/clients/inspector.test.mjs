// The MCP inspector against the server over sample calls, as a person would point it there.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { bin, demo, inspector, node, run } from './server.mjs';

const home = mkdtempSync(join(tmpdir(), 'inspector-'));
after(() => rmSync(home, { recursive: true, force: true }));

const config = join(home, 'servers.json');
writeFileSync(config, JSON.stringify({ mcpServers: { demo: { command: bin, args: demo } } }));

const inspect = (...args) => run(node, [inspector, '--cli', '--config', config, '--server', 'demo', ...args], {
  HOME: home,
  PATH: `${dirname(node)}:${process.env.PATH}`,
  MCP_INSPECTOR_SECRET_STORE: 'memory',
});

test('tools/list --strict finds every schema portable', async () => {
  const { code, out, err } = await inspect('--method', 'tools/list', '--strict');
  assert.equal(code, 0, `exit ${code}\n${err}\n${out.slice(0, 1000)}`);
  assert.ok(JSON.parse(out).tools.length >= 5, out.slice(0, 500));
});

test('tools/call answers', async () => {
  const { code, out, err } = await inspect('--method', 'tools/call', '--tool-name', 'list_call_logs', '--tool-args-json', '{"success":false,"page_size":3}');
  assert.equal(code, 0, `exit ${code}\n${err}\n${out.slice(0, 1000)}`);
  const result = JSON.parse(out);
  assert.ok(!result.isError, out.slice(0, 1000));
  assert.match(result.content[0].text, /^sample data/);
});

for (const method of ['resources/list', 'resources/templates/list', 'prompts/list']) {
  test(method, async () => {
    const { code, out, err } = await inspect('--method', method);
    assert.equal(code, 0, `exit ${code}\n${err}\n${out.slice(0, 1000)}`);
    assert.ok(Object.values(JSON.parse(out)).some((v) => Array.isArray(v) && v.length > 0), out.slice(0, 500));
  });
}
