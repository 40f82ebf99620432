import { expect, it } from 'vitest';
import { probe, type Verdict } from './probe.ts';
import type { GrpcAnswer, HttpAnswer, Target } from './target.ts';

const NONE = { withoutPaths: (text: string) => text } as Target;

const OK: HttpAnswer = { status: 200, headers: {}, body: { a: 1 }, text: '', binary: Buffer.alloc(0) };
const TEAPOT: HttpAnswer = { ...OK, status: 418 };
const UNSUPPORTED: HttpAnswer = { ...OK, status: 501, body: { error: 'not here' } };
const UNIMPLEMENTED: GrpcAnswer = { code: 12, details: 'not there', trailers: {}, message: undefined };

function is(status: number): (answer: HttpAnswer) => void {
  return (answer) => expect(answer.status).toBe(status);
}

function judge(answer: HttpAnswer, differs?: { because: string; holds: (answer: HttpAnswer) => void }) {
  return probe('GET v2', async () => answer, is(200), differs).judge(NONE);
}

it.each<[string, Promise<Verdict>, Verdict]>([
  ['what the document says', judge(OK), { kind: 'conforms' }],
  [
    'what is declared instead',
    judge(TEAPOT, { because: 'tea', holds: is(418) }),
    { kind: 'differs', because: 'tea' },
  ],
  ['what the server refuses', judge(UNSUPPORTED), { kind: 'not offered', because: 'not here' }],
  [
    'the same over gRPC',
    probe(
      'ServerLive',
      async () => UNIMPLEMENTED,
      ({ code }) => expect(code).toBe(0),
    ).judge(NONE),
    { kind: 'not offered', because: 'not there' },
  ],
])('an answer is judged by %s', async (_what, judged, verdict) => {
  expect(await judged).toEqual(verdict);
});

it('another answer is a failure, and so is a difference that is none', async () => {
  await expect(judge(TEAPOT)).rejects.toThrow('418');
  await expect(judge(TEAPOT, { because: 'tea', holds: is(404) })).rejects.toThrow('418');
  await expect(judge(OK, { because: 'tea', holds: is(418) })).rejects.toThrow('declared to differ');
});
