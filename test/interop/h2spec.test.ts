/**
 * The HTTP/2 below gRPC, to h2spec: somebody else's reading of RFC 9113 and RFC 7541. It asks as browsers do, which gRPC
 * refuses for what their heads say before the rest has come; so here the same sessions serve plain requests.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type SessionAlone, serveSessions } from '../../src/protocol/grpc/http2/session-alone.ts';
import type { ServerStream } from '../../src/protocol/grpc/http2/stream.ts';
import { describeWith, peerPath } from '../require.ts';

/** Seconds that h2spec waits for what should come: many, so that a busy machine is no fault. */
const PATIENCE = '10';

const ANSWER = Buffer.from('h2spec wants some content to wait for');
/** Streams stay open for a moment, so that there can be too many of them. */
const ANSWER_AFTER_MS = 20;

function answer(stream: ServerStream): void {
  stream.listen(
    () => {},
    () => {
      setTimeout(() => {
        stream.respond({ ':status': 200, 'content-length': ANSWER.length });
        stream.write([ANSWER]);
        stream.end({});
      }, ANSWER_AFTER_MS);
    },
  );
}

describeWith(['h2spec'], 'h2spec', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nimify-h2spec-'));
  let served: SessionAlone;

  beforeAll(async () => {
    served = await serveSessions(answer);
  });
  afterAll(() => {
    served.close();
    rmSync(folder, { recursive: true });
  });

  it('finds nothing, and leaves nothing out', async () => {
    const report = join(folder, 'report.xml');
    const args = [
      'http2',
      'generic',
      'hpack',
      '--port',
      String(served.port),
      '--timeout',
      PATIENCE,
      '-j',
      report,
    ];
    // That a case failed is the exit status; which, is in the report.
    await promisify(execFile)(peerPath('h2spec'), args).catch(() => {});
    const cases = readFileSync(report, 'utf8').split('<testcase ').slice(1);
    expect(cases).toHaveLength(145);
    const failed = cases.filter((one) => /<(error|failure|skipped)/.test(one)).map(nameOf);
    expect(failed).toEqual([]);
  }, 600_000);
});

function nameOf(testcase: string): string {
  const attribute = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(testcase)?.[1] ?? '';
  return `${attribute('package')}: ${attribute('classname')}`;
}
