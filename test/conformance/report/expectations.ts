import { expect } from 'vitest';
import type { GrpcAnswer, HttpAnswer } from './target.ts';

/** An answer over HTTP with this status, and these members in its JSON. */
export function answers(status: number, body?: unknown): (answer: HttpAnswer) => void {
  return (answer) => expect(answer).toMatchObject(body === undefined ? { status } : { status, body });
}

/** An error object: the statuses are those of Triton's table of them (docs/protocol/README.md). */
export function refuses(status: number, words = ''): (answer: HttpAnswer) => void {
  return answers(status, { error: expect.stringContaining(words) });
}

/** A message over gRPC with these fields. */
export function replies(fields: object = {}): (answer: GrpcAnswer) => void {
  return (answer) => expect(answer).toMatchObject({ code: 0, message: fields });
}

/** An error over gRPC. */
export function fails(code: number, words = ''): (answer: GrpcAnswer) => void {
  return (answer) => {
    expect(answer).toMatchObject({ code, details: expect.stringContaining(words) });
    expect(answer.details).not.toBe('');
  };
}
