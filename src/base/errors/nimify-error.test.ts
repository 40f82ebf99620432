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
