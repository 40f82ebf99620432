import { describe, expect, it } from 'vitest';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { ErrorCode } from '../../base/errors/table.ts';
import { createOwner } from '../../base/tensor/owner.ts';
import type { Tensor } from '../../base/tensor/tensor.ts';
import { createContext } from '../../model/context.ts';
import type { Model } from '../../model/contract.ts';
import { createFakeModel } from '../../model/fake-model.ts';
import { createInferRequest } from '../../model/request.ts';
import type { Signature } from '../../model/signature.ts';
import { createConstantRung } from './constant-rung.ts';
import { createFallback } from './fallback.ts';
import { createModelRung } from './model-rung.ts';

const signature: Signature = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2], dimensionNames: [undefined, undefined] }],
  outputs: [{ name: 'y', datatype: 'INT64', shape: [-1], dimensionNames: [undefined] }],
  batchAxis: 0,
};
const rows = (count: number): Tensor => ({
  ...{ name: 'x', datatype: 'FP32', shape: [count, 2] },
  data: new Float32Array(count * 2),
});
const label: Tensor = { name: 'y', datatype: 'INT64', shape: [1], data: new BigInt64Array([7n]) };
const context = createContext();
const ask = (count = 1) => createInferRequest({ model: 'main', inputs: [rows(count)], id: 'mine' });

function failing(code: ErrorCode, name = 'main') {
  const fail = () => {
    throw new NimifyError(code, `${name} says ${code}`);
  };
  return createFakeModel({ name, signature, answer: fail });
}

function setUp(inner: Model, rungs: readonly Model[]) {
  const counts: Record<string, number> = {};
  const count = (what: string) => {
    counts[what] = (counts[what] ?? 0) + 1;
  };
  const instruments = { answered: count, exhausted: () => count('exhausted') };
  const model = createFallback({ instruments }, [
    ...rungs.map((rung) => createModelRung(rung.name, () => rung)),
  ])(inner);
  return { model, counts };
}

describe('createFallback', () => {
  it('has the first rung answer that can, under the name that was asked for', async () => {
    const small = createFakeModel({ name: 'small', signature, answer: () => [label] });
    const { model, counts } = setUp(failing('CIRCUIT_OPEN'), [failing('OVERLOADED', 'other'), small]);
    const response = await model.infer(ask(), context);
    expect(response).toMatchObject({ model: 'main', version: '1', id: 'mine', outputs: [label] });
    expect(response.report).toMatchObject({ fallback: 'small', cacheable: false });
    expect(small.requests[0]).toMatchObject({ model: 'small' });
    expect(counts).toEqual({ small: 1 });
  });

  it('says what the model said where no rung answers', async () => {
    const { model, counts } = setUp(failing('ENGINE_CRASHED'), [failing('ENGINE_FAILED', 'small')]);
    await expect(model.infer(ask(), context)).rejects.toMatchObject({ code: 'ENGINE_CRASHED' });
    expect(counts).toEqual({ exhausted: 1 });
  });

  it.each<ErrorCode>(['INVALID_INPUT', 'DEADLINE_EXCEEDED', 'CANCELLED'])(
    'leaves %s as it is',
    async (code) => {
      const small = createFakeModel({ name: 'small', signature });
      const { model } = setUp(failing(code), [small]);
      await expect(model.infer(ask(), context)).rejects.toMatchObject({ code });
      expect(small.requests).toHaveLength(0);
    },
  );

  it('leaves a request of a sequence with its model', async () => {
    const { model } = setUp(failing('ENGINE_CRASHED'), [createFakeModel({ name: 'small', signature })]);
    const part = { ...ask(), sequence: { id: 1, start: true, end: false } };
    await expect(model.infer(part, context)).rejects.toMatchObject({ code: 'ENGINE_CRASHED' });
  });

  it('passes over a model that takes other inputs, or is not served', async () => {
    const other = createFakeModel({ name: 'other' });
    const model = createFallback({}, [
      createModelRung('gone', () => {
        throw new NimifyError('MODEL_NOT_FOUND', 'gone');
      }),
      createModelRung('other', () => other),
      createConstantRung(signature, [label]),
    ])(failing('MODEL_NOT_READY'));
    const { report } = await model.infer(ask(), context);
    expect(report.fallback).toBe('constant');
    expect(other.requests).toHaveLength(0);
  });

  it('gives the constant to each row', async () => {
    const model = createFallback({}, [createConstantRung(signature, [label])])(failing('CIRCUIT_OPEN'));
    const { outputs } = await model.infer(ask(3), context);
    expect(outputs).toEqual([{ ...label, shape: [3], data: new BigInt64Array([7n, 7n, 7n]) }]);
    expect((await model.infer(ask(0), context)).outputs[0]?.shape).toEqual([0]);
  });

  it('answers at once where model and rung do, and asks the model only once where they do not', async () => {
    let asked = 0;
    const answerNow = () => {
      asked += 1;
      throw new NimifyError('CIRCUIT_OPEN', 'open');
    };
    const inner = createFakeModel({ name: 'main', signature, answerNow, answer: answerNow });
    const constant = createFallback({}, [createConstantRung(signature, [label])])(inner);
    expect(constant.inferNow?.(ask(), context)?.report.fallback).toBe('constant');
    expect(asked).toBe(1);

    const small = createFakeModel({ name: 'small', signature, answer: () => [label] });
    const { model } = setUp(inner, [small]);
    const request = ask();
    expect(model.inferNow?.(request, context)).toBeUndefined();
    expect((await model.infer(request, context)).report.fallback).toBe('small');
    expect(asked).toBe(2);
  });

  it('asks a model below its own ladder, so that two may stand in for each other', async () => {
    const one: Model = createFallback({}, [createModelRung('two', () => two)])(
      failing('ENGINE_CRASHED', 'one'),
    );
    const two: Model = createFallback({}, [createModelRung('one', () => one)])(
      failing('ENGINE_FAILED', 'two'),
    );
    await expect(one.infer(ask(), context)).rejects.toMatchObject({ code: 'ENGINE_CRASHED' });
  });

  it('holds the request until a rung has answered, and turns nobody away', async () => {
    const owner = createOwner();
    const holders: number[] = [];
    const small = createFakeModel({
      name: 'small',
      signature,
      answer: () => {
        holders.push(owner.holders);
        return [label];
      },
    });
    const refusing = { ...failing('OVERLOADED'), turnAway: () => new NimifyError('OVERLOADED', 'full') };
    const { model } = setUp(refusing, [small]);
    expect(model.turnAway).toBeUndefined();
    await model.infer({ ...ask(), owner }, context);
    expect(holders).toEqual([2]);
    expect(owner.holders).toBe(1);
  });
});
