// The MCP inspector against the server over sample calls, as a person would point it there.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { bin, demo, free, inspector, listening, node, run } from './server.mjs';

const home = mkdtempSync(join(tmpdir(), 'inspector-'));
after(() => rmSync(home, { recursive: true, force: true }));

const config = join(home, 'servers.json');
writeFileSync(config, JSON.stringify({ mcpServers: { demo: { command: bin, args: demo } } }));
const addr = `127.0.0.1:${await free()}`;
let server;
before(async () => { server = await listening(bin, [...demo, '--http', addr, '--no-auth'], addr); });
after(() => server?.stop());

const ways = {
  stdio: ['--config', config, '--server', 'demo'],
  'HTTP, 2025-11-25': [`http://${addr}/mcp`, '--transport', 'http', '--protocol-era', 'legacy'],
  'HTTP, 2026-07-28': [`http://${addr}/mcp`, '--transport', 'http', '--protocol-era', 'modern'],
};

for (const [way, target] of Object.entries(ways)) {
  describe(`the inspector over ${way}`, () => {
    const inspect = async (...args) => {
      const { code, out, err } = await run(node, [inspector, '--cli', ...target, ...args], {
        HOME: home,
        PATH: `${dirname(node)}:${process.env.PATH}`,
        MCP_INSPECTOR_SECRET_STORE: 'memory',
      });
      assert.equal(code, 0, `exit ${code}\n${err}\n${out.slice(0, 1000)}`);
      return JSON.parse(out);
    };

    test('tools/list --strict finds every schema portable', async () => {
      const { tools } = await inspect('--method', 'tools/list', '--strict');
      assert.ok(tools.length >= 5, `${tools.length} tools`);
    });

    test('tools/call answers', async () => {
      const result = await inspect('--method', 'tools/call', '--tool-name', 'list_call_logs', '--tool-args-json', '{"success":false,"page_size":3}');
      assert.ok(!result.isError, JSON.stringify(result).slice(0, 1000));
      assert.match(result.content[0].text, /^sample data/);
    });

    for (const method of ['resources/list', 'resources/templates/list', 'prompts/list']) {
      test(method, async () => {
        const answer = await inspect('--method', method);
        assert.ok(Object.values(answer).some((v) => Array.isArray(v) && v.length > 0), JSON.stringify(answer).slice(0, 500));
      });
    }
  });
}
