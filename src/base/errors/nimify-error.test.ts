import { expect, it } from 'vitest';
import { NimifyError, withPlace } from './nimify-error.ts';

it('puts a place before the words of a refusal, and keeps all else', () => {
  const inner = new NimifyError('OVERLOADED', 'too many', { details: { got: 3 }, retryAfterMs: 20 });
  expect(withPlace('m.onnx', inner)).toMatchObject({
    ...{ code: 'OVERLOADED', message: 'm.onnx: too many', details: { got: 3 }, retryAfterMs: 20 },
    cause: inner,
  });
  expect(withPlace('m.onnx', new NimifyError('INTERNAL', 'no'))).toMatchObject({
    ...{ message: 'm.onnx: no', details: undefined, retryAfterMs: undefined },
  });
});

it('has a stack where something is at fault, and none where there is only too much to do', () => {
  const { stackTraceLimit } = Error;
  expect(new NimifyError('OVERLOADED', 'too many').stack).not.toContain('nimify-error.test.ts');
  expect(new NimifyError('INTERNAL', 'no').stack).toContain('nimify-error.test.ts');
  expect(Error.stackTraceLimit).toBe(stackTraceLimit);
});
