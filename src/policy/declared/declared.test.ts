import { describe, expect, it } from 'vitest';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { Tensor } from '../../base/tensor/tensor.ts';
import { createContext } from '../../model/context.ts';
import { createFakeModel } from '../../model/fake-model.ts';
import { createInferRequest } from '../../model/request.ts';
import type { Signature } from '../../model/signature.ts';
import { createDeclared, type DeclaredOptions } from './declared.ts';

const SIGNATURE: Signature = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2, -1], dimensionNames: [] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 2, -1], dimensionNames: [] }],
  batchAxis: 0,
};

const OPTIONS: DeclaredOptions = {
  signature: SIGNATURE,
  maxRows: 4,
  inputs: { x: { outside: [-1, 2, -1], inside: [-1, -1, 2, 1] } },
  outputs: { y: { outside: [-1, 2, -1], inside: [-1, -1, 2] } },
};

function tensor(name: string, shape: readonly number[]): Tensor {
  return { name, datatype: 'FP32', shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) };
}

function ask(shape: readonly number[], fields = {}) {
  return createInferRequest({ model: 'fake', inputs: [tensor('x', shape)], ...fields });
}

describe('createDeclared', () => {
  it('shows the declared signature, and the model another shape of the same elements', async () => {
    const inner = createFakeModel({ answer: () => [tensor('y', [3, 5, 2])] });
    const model = createDeclared(OPTIONS)(inner);
    expect(model.signature).toBe(SIGNATURE);
    expect(model).toMatchObject({ kind: 'declared', name: 'fake', version: '1', inner: [inner] });
    const request = ask([3, 2, 5]);
    const response = await model.infer(request, createContext());
    expect(inner.requests[0]?.inputs[0]).toMatchObject({ name: 'x', shape: [3, 5, 2, 1] });
    expect(inner.requests[0]?.inputs[0]?.data).toBe(request.inputs[0]?.data);
    expect(inner.requests[0]?.outputs).toEqual(['y']);
    expect(response.outputs[0]?.shape).toEqual([3, 2, 5]);
  });

  it('takes as many rows as were declared, and no more', async () => {
    const inner = createFakeModel({ answer: () => [tensor('y', [4, 1, 2])] });
    const model = createDeclared(OPTIONS)(inner);
    await expect(model.infer(ask([4, 2, 1]), createContext())).resolves.toBeDefined();
    await expect(model.infer(ask([5, 2, 1]), createContext())).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining("inputs[0].shape: 'fake' takes at most 4 rows"),
      details: { where: 'inputs[0].shape', expected: 'at most 4 rows', got: 5 },
    });
    expect(inner.requests).toHaveLength(1);
  });

  it('leaves tensors alone that look the same on both sides, and outputs that were asked for', async () => {
    const inner = createFakeModel();
    const model = createDeclared({ signature: SIGNATURE, inputs: {}, outputs: {} })(inner);
    const request = ask([1000, 2, 1], { outputs: ['z'] });
    const response = await model.infer(request, createContext());
    expect(inner.requests[0]?.inputs).toBe(request.inputs);
    expect(inner.requests[0]?.outputs).toEqual(['z']);
    expect(response.outputs).toBe(request.inputs);
  });

  it('reshapes only the tensors that are named', async () => {
    const inner = createFakeModel({ answer: () => [tensor('y', [3, 5, 2]), tensor('z', [3, 5])] });
    const inputs = [tensor('x', [3, 2, 5]), tensor('toString', [4])];
    const request = createInferRequest({ model: 'fake', inputs });
    const { outputs } = await createDeclared(OPTIONS)(inner).infer(request, createContext());
    expect(inner.requests[0]?.inputs.map(({ shape }) => shape)).toEqual([[3, 5, 2, 1], [4]]);
    expect(inner.requests[0]?.inputs[1]).toBe(inputs[1]);
    expect(outputs.map(({ shape }) => shape)).toEqual([
      [3, 2, 5],
      [3, 5],
    ]);
  });

  it('has the state and the revision of the model', () => {
    const inner = createFakeModel({ state: 'loading' });
    const model = createDeclared(OPTIONS)(inner);
    const states: string[] = [model.state];
    const stop = model.onState((state) => states.push(state));
    inner.setState('ready');
    expect(model.state).toBe('ready');
    stop();
    inner.setState('failed');
    expect(states).toEqual(['loading', 'ready']);
    expect('revision' in model).toBe(false);
    expect(createDeclared(OPTIONS)({ ...inner, revision: 'r1' }).revision).toBe('r1');
  });

  it('answers at once where the model does, and closes what it wraps', async () => {
    const inner = createFakeModel();
    expect(createDeclared(OPTIONS)(inner).inferNow).toBeUndefined();
    expect(createDeclared(OPTIONS)(inner).turnAway).toBeUndefined();
    let answers = true;
    const quick = {
      ...inner,
      inferNow: () =>
        answers
          ? {
              ...{ model: 'fake', version: '1', id: '', parameters: {}, outputs: [tensor('y', [1, 3, 2])] },
              report: { cache: 'none' as const, computeNs: 0, cacheable: true },
              owner: { retain() {}, release() {}, holders: 1 },
            }
          : undefined,
    };
    const model = createDeclared(OPTIONS)({
      ...quick,
      turnAway: () => new NimifyError('OVERLOADED', 'full'),
    });
    expect(model.turnAway?.(createContext(), () => true)?.message).toBe('full');
    expect(model.inferNow?.(ask([1, 2, 3]), createContext())?.outputs[0]?.shape).toEqual([1, 2, 3]);
    expect(() => model.inferNow?.(ask([9, 2, 3]), createContext())).toThrow('at most 4 rows');
    answers = false;
    expect(model.inferNow?.(ask([1, 2, 3]), createContext())).toBeUndefined();
    await model.close({ graceMs: 7 });
    expect(inner.closedWith).toEqual({ graceMs: 7 });
  });
});
