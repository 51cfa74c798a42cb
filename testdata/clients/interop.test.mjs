// The official TypeScript SDKs, one of each era of the protocol, over stdio and over HTTP: the same questions, the same answers.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import * as modern from '@modelcontextprotocol/client';
import { StdioClientTransport as ModernStdio } from '@modelcontextprotocol/client/stdio';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { bare, bin, firstID, free, listening, text } from './server.mjs';

const who = { name: 'interop-test', version: '1' };
const eras = {
  '2025-11-25': {
    client: () => new Client(who, { capabilities: {} }),
    // It hands the revision on to its transport, of which only the one of HTTP keeps it.
    stdio: (o) => Object.assign(new StdioClientTransport(o), { setProtocolVersion(v) { this.protocolVersion = v; } }),
    http: (url) => new StreamableHTTPClientTransport(url),
    version: (c) => c.transport.protocolVersion,
    options: (o) => [undefined, o],
  },
  '2026-07-28': {
    client: () => new modern.Client(who, { capabilities: {}, versionNegotiation: { mode: { pin: '2026-07-28' } } }),
    stdio: (o) => new ModernStdio(o),
    http: (url) => new modern.StreamableHTTPClientTransport(url),
    version: (c) => c.getNegotiatedProtocolVersion(),
    options: (o) => [o],
  },
};
const waysToServe = {
  async stdio(era, args, env) {
    const client = era.client();
    await client.connect(era.stdio({ command: bin, args: ['serve', '--log-level', 'warn', ...args], env, stderr: 'inherit' }));
    return { client, end: () => client.close() };
  },
  async http(era, args, env) {
    const addr = `127.0.0.1:${await free()}`;
    const server = await listening(bin, ['serve', '--log-level', 'warn', '--http', addr, '--no-auth', ...args], addr, env);
    const client = era.client();
    await client.connect(era.http(new URL(`http://${addr}/mcp`)));
    return { client, end: async () => { await client.close(); assert.equal((await server.stop()).code, 0); } };
  },
};

/** A Cekura that takes requests and never answers: what is asked of it, and what was hung up. */
async function silent() {
  const seen = { asked: 0, hungUp: 0 };
  const server = createServer((req, res) => {
    seen.asked++;
    res.on('close', () => seen.hungUp++);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const env = { ...bare, CEKURA_API_KEY: 'no-secret', CEKURA_BASE_URL: `http://127.0.0.1:${server.address().port}` };
  return { seen, env, end: () => { server.closeAllConnections(); server.close(); } };
}

/** Waits until holds() does, for at most two seconds. */
async function until(holds, what) {
  for (let left = 100; !holds(); left--) {
    assert.ok(left > 0, what);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

for (const [revision, era] of Object.entries(eras)) {
  for (const [way, serve] of Object.entries(waysToServe)) {
    describe(`TypeScript, ${revision} over ${way}`, () => {
      let client, end, id;
      const call = (name, args) => client.callTool({ name, arguments: args });

      before(async () => {
        ({ client, end } = await serve(era, ['--demo'], bare));
        id = firstID(text(await call('list_call_logs', {})));
      });
      after(() => end?.());

      test('the revision, the capabilities and the instructions', () => {
        assert.equal(era.version(client), revision);
        assert.equal(client.getServerVersion().name, 'call-logs-mcp');
        for (const face of ['tools', 'resources', 'prompts', 'completions']) assert.ok(client.getServerCapabilities()[face], face);
        assert.match(client.getInstructions(), /call/);
      });

      test('every list', async () => {
        const { tools } = await client.listTools();
        assert.ok(tools.some((t) => t.name === 'search_transcripts'));
        assert.ok((await client.listResources()).resources.some((r) => r.uri.startsWith('call://')));
        assert.ok((await client.listResourceTemplates()).resourceTemplates.length > 0);
        assert.ok((await client.listPrompts()).prompts.some((p) => p.name === 'review_call'));
      });

      test('calls, also 20 at once', async () => {
        assert.match(text(await call('search_transcripts', { query: 'refund' })), /searched/);
        assert.match(text(await call('read_transcript', { id })), /^\d+ \d+:\d\d (agent|caller)/m);
        assert.match(text(await call('aggregate_call_logs', { group_by: ['agent.name'] })), /^all \|/m);
        const { structuredContent } = await call('get_call_log', { id, response_format: 'json' });
        assert.equal(structuredContent.call.id, id);
        const sizes = await Promise.all(Array.from({ length: 20 }, async (_, i) =>
          (await call('list_call_logs', { page_size: 1 + (i % 5), response_format: 'json' })).structuredContent.calls.length));
        assert.deepEqual(sizes, Array.from({ length: 20 }, (_, i) => 1 + (i % 5)));
      });

      test('resources, prompts and completions', async () => {
        const { contents } = await client.readResource({ uri: `call://${id}/transcript?turns=1-2` });
        assert.match(contents[0].text, /(agent|caller):/);
        const { messages } = await client.getPrompt({ name: 'review_call', arguments: { id } });
        assert.ok(messages[0].content.text.includes(id));
        const uri = (await client.listResourceTemplates()).resourceTemplates.map((r) => r.uriTemplate).find((u) => u.startsWith('call://{source}/{key}'));
        const { completion } = await client.complete({ ref: { type: 'ref/resource', uri }, argument: { name: 'source', value: '' } });
        assert.deepEqual(completion.values, ['demo']);
      });

      test('mistakes', async () => {
        const wrong = await call('list_call_logs', { agnt: '5' });
        assert.equal(wrong.isError, true);
        assert.match(text(wrong), /agent_id/);
        await assert.rejects(async () => {
          const r = await call('no_such_tool', {});
          if (r.isError) throw new Error(text(r));
        }, /no_such_tool/);
        await assert.rejects(client.readResource({ uri: 'call://demo/999999999' }));
        await assert.rejects(client.getPrompt({ name: 'no_such_prompt' }), /prompt/);
      });

      test('a cancelled call lets go of the upstream', async () => {
        const cekura = await silent();
        const slow = await serve(era, ['--mirror', 'off'], cekura.env);
        try {
          const hurry = new AbortController();
          const asked = slow.client.callTool({ name: 'list_call_logs', arguments: {} }, ...era.options({ signal: hurry.signal }));
          const refused = assert.rejects(asked, /enough/);
          await until(() => cekura.seen.asked > 0, 'the upstream was not asked');
          hurry.abort('enough');
          await refused;
          if (way === 'http' && revision === '2025-11-25') {
            // This SDK says so in a notification of its own, which names no connection, so that it could be another's
            // call: the server heeds none, and the client's end of the connection is what ends the call.
            await slow.client.close();
          }
          await until(() => cekura.seen.hungUp === cekura.seen.asked, 'the upstream was not let go');
        } finally {
          await slow.end();
          cekura.end();
        }
      });
    });
  }
}
