// The official TypeScript SDK against the server over sample calls: every method, every tool, and what answers may cost.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect, firstID, text, tokens } from './server.mjs';

const ceiling = 6_000; // tokens of all tool definitions together
const usual = 4_000; // tokens of an answer, unless asked otherwise
const most = 10_000; // tokens of any answer

let client, wrong, tools;
let id, longest; // calls found on the way
const answers = []; // every answer of a tool: {call, text, tokens}

async function call(name, args = {}) {
  const result = await client.callTool({ name, arguments: args });
  const answer = text(result);
  answers.push({ call: `${name} ${JSON.stringify(args)}`, text: answer, tokens: tokens(answer), failed: result.isError === true });
  return { ...result, text: answer, tokens: tokens(answer) };
}

async function ok(name, args) {
  const answer = await call(name, args);
  assert.ok(!answer.isError, `${name} ${JSON.stringify(args)} failed: ${answer.text}`);
  return answer;
}

function atMost(answer, limit, what) {
  assert.ok(answer.tokens <= limit, `${what} takes ${answer.tokens} tokens, over ${limit}:\n${answer.text.slice(0, 600)}\n…`);
}

before(async () => {
  ({ client, wrong } = await connect());
  ({ tools } = await client.listTools());
  id = firstID((await ok('list_call_logs', {})).text);
  longest = firstID((await ok('list_call_logs', { order_by: 'longest', timestamp_from: 'now-30d', page_size: 5 })).text);
});

after(async () => {
  await client?.close();
});

describe('the catalogue', () => {
  test('initialize names the server and gives instructions', () => {
    assert.equal(client.getServerVersion().name, 'call-logs-mcp');
    const instructions = client.getInstructions() ?? '';
    assert.ok(instructions.length > 0 && instructions.length <= 2_000, `instructions have ${instructions.length} characters`);
    for (const face of ['tools', 'resources', 'prompts', 'completions']) {
      assert.ok(client.getServerCapabilities()[face], `no capability ${face}`);
    }
  });

  test('the tools of the contract are listed, in order, read-only and titled', () => {
    const names = tools.map((t) => t.name);
    for (const name of ['describe_fields', 'get_call_log', 'list_call_logs', 'read_transcript', 'search_transcripts']) {
      assert.ok(names.includes(name), `${name} is missing from ${names}`);
    }
    assert.deepEqual(names, names.toSorted());
    assert.ok(names.length <= 8, `${names.length} tools`);
    for (const tool of tools) {
      assert.ok(tool.title, `${tool.name} has no title`);
      assert.deepEqual(
        { readOnlyHint: tool.annotations?.readOnlyHint, destructiveHint: tool.annotations?.destructiveHint },
        { readOnlyHint: true, destructiveHint: false }, tool.name);
    }
  });

  test(`all definitions take at most ${ceiling} tokens`, (t) => {
    const cost = tokens(JSON.stringify(tools));
    t.diagnostic(`${tools.length} tools, ${cost} tokens`);
    assert.ok(cost <= ceiling, `${cost} tokens`);
  });
});

describe('every tool answers', () => {
  test('list_call_logs', async () => {
    assert.match((await ok('list_call_logs', {})).text, /\d+ of \d+/);
  });

  test('get_call_log', async () => {
    assert.ok((await ok('get_call_log', { id })).text.includes(id.split('/')[1]));
  });

  test('read_transcript', async () => {
    assert.match((await ok('read_transcript', { id })).text, /^\d+ \d+:\d\d (agent|caller)/m);
  });

  test('search_transcripts', async () => {
    const answer = await ok('search_transcripts', { query: 'refund' });
    assert.match(answer.text, /refund/i);
    assert.match(answer.text, /searched/);
  });

  test('describe_fields', async () => {
    assert.match((await ok('describe_fields', {})).text, /call_ended_reason/);
    await ok('describe_fields', { field: 'call_ended_reason' });
  });

  test('the rest of what is listed, without arguments', async () => {
    const known = ['describe_fields', 'get_call_log', 'list_call_logs', 'read_transcript', 'search_transcripts'];
    for (const tool of tools.filter((t) => !known.includes(t.name))) {
      const given = Object.fromEntries((tool.inputSchema.required ?? []).map((name) => [name, name === 'id' ? id : 'topic']));
      await ok(tool.name, given);
    }
  });

  test('a cursor leads on to other calls', async () => {
    const { structuredContent: first } = await ok('list_call_logs', { page_size: 3, response_format: 'json' });
    const { structuredContent: second } = await ok('list_call_logs', { cursor: first.next_cursor, page_size: 3, response_format: 'json' });
    assert.equal(first.calls.length, 3);
    const seen = new Set(first.calls.map((c) => c.id));
    assert.ok(second.calls.length > 0 && second.calls.every((c) => !seen.has(c.id)), JSON.stringify(second.calls.map((c) => c.id)));
  });

  test('JSON on request, with one line of text', async () => {
    const answer = await ok('get_call_log', { id, response_format: 'json' });
    assert.equal(answer.structuredContent.call.id, id);
    assert.equal(answer.text.trim().split('\n').length, 1);
  });
});

describe('what answers cost', () => {
  test('20 failed calls in at most 1,300 tokens', async (t) => {
    for (const window of [{}, { timestamp_from: 'now-30d' }]) {
      const answer = await ok('list_call_logs', { success: false, page_size: 20, ...window });
      t.diagnostic(`${answer.tokens} tokens`);
      atMost(answer, 1_300, '20 failed calls');
    }
    const { structuredContent } = await ok('list_call_logs', { success: false, page_size: 20, timestamp_from: 'now-30d', response_format: 'json' });
    assert.equal(structuredContent.calls.length, 20, 'the sample calls have 20 failures to show');
    assert.ok(structuredContent.calls.every((c) => c.success === false));
  });

  test('the longest call by default, and in what is asked for', async (t) => {
    const whole = await ok('get_call_log', { id: longest });
    t.diagnostic(`${longest}: ${whole.tokens} tokens by default`);
    atMost(whole, usual, `get_call_log ${longest}`);
    for (const max_tokens of [1_000, 1_500, 3_000]) {
      atMost(await ok('get_call_log', { id: longest, max_tokens }), max_tokens, `get_call_log ${longest} within ${max_tokens}`);
      atMost(await ok('read_transcript', { id: longest, max_tokens }), max_tokens, `read_transcript ${longest} within ${max_tokens}`);
    }
  });

  test('large pages and broad questions stay within the default', async () => {
    for (const [name, args] of [
      ['list_call_logs', { page_size: 100, timestamp_from: 'now-30d' }],
      ['search_transcripts', { query: 'the OR you OR call', timestamp_from: 'now-30d' }],
      ['search_transcripts', { query: 'refund', page_size: 100, context_turns: 3, timestamp_from: 'now-30d' }],
      ['read_transcript', { id: longest }],
      ['describe_fields', { field: 'topic' }],
    ]) {
      atMost(await call(name, args), usual, `${name} ${JSON.stringify(args)}`);
    }
  });

  test('nothing is over the hard limit, even where more is asked for', async () => {
    for (const max_tokens of [10_000, 50_000]) {
      atMost(await call('read_transcript', { id: longest, max_tokens }), most, `max_tokens ${max_tokens}`);
      atMost(await call('get_call_log', { id: longest, max_tokens }), most, `max_tokens ${max_tokens}`);
    }
  });
});

describe('mistakes are answered in words', () => {
  for (const [name, args, words] of [
    ['list_call_logs', { agnt: '5' }, /agent/],
    ['list_call_logs', { page_size: 1000 }, /100/],
    ['list_call_logs', { timestamp_from: 'last tuesdy' }, /tuesdy/],
    ['list_call_logs', { timestamp_from: 'today', timestamp_to: 'yesterday' }, /timestamp/],
    ['list_call_logs', { cursor: 'c1.nonsense' }, /cursor/],
    ['list_call_logs', { filters_v2: '{"field":"duration","op":"contains","value":"x"}' }, /duration.*gte/s],
    ['list_call_logs', { filters_v2: '{"field":' }, /filters_v2/],
    ['get_call_log', {}, /\bid\b/],
    ['get_call_log', { id: 'demo/999999999' }, /999999999/],
    ['read_transcript', { id: 'no such/call' }, /no such/],
    ['search_transcripts', {}, /query/],
    ['describe_fields', { field: 'duratoin' }, /duration/],
  ]) {
    test(`${name} ${JSON.stringify(args)}`, async () => {
      const answer = await call(name, args);
      assert.equal(answer.isError, true, `it was answered: ${answer.text.slice(0, 300)}`);
      assert.match(answer.text, words);
      assert.doesNotMatch(answer.text, /internal error|panic|goroutine|json: cannot|%!/i);
      atMost(answer, 600, 'a mistake');
    });
  }

  test('an unknown tool', async () => {
    await assert.rejects(client.callTool({ name: 'no_such_tool', arguments: {} }).then((r) => {
      if (r.isError) throw new Error(text(r));
    }), /no_such_tool/);
  });
});

describe('resources, prompts and completions', () => {
  test('a listed resource can be read', async () => {
    const { resources } = await client.listResources();
    const one = resources.find((r) => r.uri.startsWith('call://'));
    assert.ok(one, `no call:// among ${resources.map((r) => r.uri)}`);
    const { contents } = await client.readResource({ uri: one.uri });
    assert.ok(contents[0].text.length > 0);
    assert.ok(tokens(contents[0].text) <= most);
  });

  test('a transcript can be read by its template', async () => {
    const { resourceTemplates } = await client.listResourceTemplates();
    const templates = resourceTemplates.map((r) => r.uriTemplate);
    assert.ok(templates.some((u) => u.startsWith('call://{source}/{key}/transcript')), `among ${templates}`);
    const { contents } = await client.readResource({ uri: `call://${id}/transcript?turns=1-2` });
    assert.match(contents[0].text, /(agent|caller):/);
    await assert.rejects(client.readResource({ uri: 'call://demo/999999999' }));
  });

  test('every prompt can be had', async () => {
    const { prompts } = await client.listPrompts();
    const names = prompts.map((p) => p.name);
    assert.ok(names.includes('investigate_failures') && names.includes('review_call'), `among ${names}`);
    for (const prompt of prompts) {
      const given = Object.fromEntries((prompt.arguments ?? []).filter((a) => a.required)
        .map((a) => [a.name, /id|call/.test(a.name) ? id : 'yesterday']));
      const { messages } = await client.getPrompt({ name: prompt.name, arguments: given });
      assert.ok(messages.length > 0 && messages[0].content.text.length > 0, prompt.name);
    }
  });

  test('arguments are completed', async () => {
    const { resourceTemplates } = await client.listResourceTemplates();
    const uri = resourceTemplates.map((r) => r.uriTemplate).find((u) => u.startsWith('call://{source}/{key}'));
    const { completion } = await client.complete({ ref: { type: 'ref/resource', uri }, argument: { name: 'source', value: '' } });
    assert.ok(completion.values.includes(id.split('/')[0]), `${completion.values}`);
    const keys = await client.complete({
      ref: { type: 'ref/resource', uri },
      argument: { name: 'key', value: '' },
      context: { arguments: { source: id.split('/')[0] } },
    });
    assert.ok(keys.completion.values.length > 0 && keys.completion.values.length <= 100);
  });
});

describe('the connection', () => {
  test('a cancelled call is forgotten, and the next one answered', async () => {
    for (let i = 0; i < 5; i++) {
      const hurry = new AbortController();
      const search = client.callTool({ name: 'search_transcripts', arguments: { query: `refund ${i}`, timestamp_from: 'now-30d' } },
        undefined, { signal: hurry.signal });
      hurry.abort('not needed any more');
      await assert.rejects(search, /not needed any more/);
    }
    await ok('list_call_logs', { page_size: 1 });
  });

  test('50 calls at once are all answered', async () => {
    const all = await Promise.all(Array.from({ length: 50 }, (_, i) => call('list_call_logs', { page_size: 1 + (i % 5) })));
    assert.equal(all.filter((r) => !r.isError).length, 50);
  });
});

describe('of all that was answered', () => {
  test('nothing was over the hard limit', () => {
    assert.deepEqual(answers.filter((a) => a.tokens > most).map((a) => [a.call, a.tokens]), []);
  });

  test('everything is marked as sample data', () => {
    const mark = 'sample data (call-logs-mcp demo), not your calls';
    const marked = (text) => text.startsWith('{') ? JSON.parse(text).notes?.includes(mark) : text.startsWith(mark);
    const bad = answers.filter((a) => !a.failed && !marked(a.text));
    assert.deepEqual(bad.map((a) => `${a.call}: ${a.text.slice(0, 80)}`), []);
  });

  test('stdout carried messages alone', () => {
    // A cancellation may cross its answer on the way, which the SDK reports too.
    assert.deepEqual(wrong.filter((m) => !m.startsWith('Received a response for an unknown message ID')), []);
  });
});
