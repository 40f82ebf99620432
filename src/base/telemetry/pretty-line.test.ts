import { expect, it } from 'vitest';
import { formatPrettyLine } from './pretty-line.ts';

it('breaks a long line before its long fields', () => {
  const line = (fields: object) =>
    formatPrettyLine(JSON.stringify({ level: 'info', msg: 'loaded', ...fields }), false);
  const why = 'a run takes 7 µs, a hop to a thread about 130 µs';
  expect(line({ model: 'm', why })).toBe(` info  loaded model=m why="${why}"\n`);
  expect(line({ model: 'm', host: why, version: 1, batch: why })).toBe(
    ` info  loaded model=m version=1\n  host="${why}"\n  batch="${why}"\n`,
  );
});
