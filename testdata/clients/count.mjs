// A reporter for node --test that closes with one line: "41 passed, 0 failed, 1 skipped".
export default async function* count(events) {
  const n = { passed: 0, failed: 0, skipped: 0 };
  for await (const { type, data } of events) {
    if (data?.details?.type === 'suite') continue;
    if (type === 'test:pass') n[data.skip !== undefined ? 'skipped' : 'passed']++;
    if (type === 'test:fail') n.failed++;
  }
  yield `${n.passed} passed, ${n.failed} failed, ${n.skipped} skipped\n`;
}
