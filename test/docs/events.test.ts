/** The pages about events say what the table of events says, and each event leads to a page. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EVENT_TYPES, type EventMeaning, type EventType } from '../../src/base/telemetry/events.ts';
import { runbookOf } from '../../src/control/events/runbook.ts';
import { BURN_RATES } from '../../src/control/slo/burn-rates.ts';
import { VERDICTS } from '../../src/control/slo/verdict.ts';

const DOCS = join(import.meta.dirname, '../../docs');
const PAGE = join(DOCS, 'events.md');
const TYPES = Object.keys(EVENT_TYPES) as EventType[];

describe('runbooks', () => {
  it.each(TYPES)('%s has a page that says what it means, what to look at and what to do', (type) => {
    const url = runbookOf(type);
    const path = join(DOCS, url.slice(url.indexOf('/docs/') + '/docs/'.length));
    expect(existsSync(path)).toBe(true);
    const sections = /^# (\S+)\n\n\S[\s\S]+\n## Look\n\n- [\s\S]+\n## Do\n\n- [\s\S]+\n$/.exec(
      readFileSync(path, 'utf8'),
    );
    expect(sections?.[1]).toBe(type);
  });

  it('are listed on their first page, and none is left of an event that is not there', () => {
    const first = readFileSync(join(DOCS, 'runbooks/README.md'), 'utf8');
    const listed = [...first.matchAll(/^\| \[([\w-]+)\]\(\1\.md\)/gm)].map((match) => match[1]);
    expect(listed.sort()).toEqual([...TYPES].sort());
    const pages = readdirSync(join(DOCS, 'runbooks')).filter((name) => name !== 'README.md');
    expect(pages.sort()).toEqual(TYPES.map((type) => `${type}.md`).sort());
  });

  it('say how it ends', () => {
    for (const type of TYPES) {
      const meaning: EventMeaning = EVENT_TYPES[type];
      const text = readFileSync(join(DOCS, `runbooks/${type}.md`), 'utf8');
      for (const other of TYPES.filter((one) => isPair(type, one))) {
        expect(text, `${type} -> ${other}`).toContain(`(${other}.md)`);
      }
      const isEnded = TYPES.some((one) => isPair(type, one));
      if (!('ends' in meaning) && !isEnded) expect(text).toContain('Nothing ends it');
    }
  });
});

it('docs/events.md lists the events as they are (to write it: vitest run test/docs/events.test.ts -u)', async () => {
  const parts = /^([\s\S]*<!-- events -->\n)[\s\S]*(<!-- end of events -->\n[\s\S]*)$/.exec(
    readFileSync(PAGE, 'utf8'),
  );
  expect(parts, 'the markers around the table').not.toBeNull();
  await expect(`${parts?.[1]}${table()}${parts?.[2]}`).toMatchFileSnapshot(PAGE);
});

it('docs/slo.md tells the burn rates and what counts', () => {
  const page = readFileSync(join(DOCS, 'slo.md'), 'utf8');
  for (const { rate, level } of BURN_RATES) {
    expect(page).toMatch(new RegExp(`^\\| ${rate} \\|.*${level === 'paging' ? 'person' : 'degraded'}`, 'm'));
  }
  for (const [code, verdict] of Object.entries(VERDICTS)) {
    if (verdict === 'bad') expect(page).toContain(`\`${code}\``);
  }
});

function isPair(one: EventType, other: EventType): boolean {
  const [a, b]: readonly EventMeaning[] = [EVENT_TYPES[one], EVENT_TYPES[other]] as const;
  if (a === undefined || b === undefined) return false;
  if ('ends' in a) return 'starts' in b && a.ends === b.starts;
  return 'ends' in b && b.ends === a.starts;
}

function table(): string {
  const rows = TYPES.map((type) => {
    const meaning: EventMeaning = EVENT_TYPES[type];
    const [level, upTo] =
      'ends' in meaning ? ['', ''] : [`\`${meaning.level}\``, `\`${meaning.risesTo ?? 'paging'}\``];
    return `| [\`${type}\`](runbooks/${type}.md) | ${level} | ${upTo} | ${meaning.means} |\n`;
  });
  return `| Event | Begins as | Up to | Means |\n| --- | --- | --- | --- |\n${rows.join('')}`;
}
