import { describe, expect, it } from 'vitest';
import type { Tensor } from '../base/tensor/tensor.ts';
import { createContext } from './context.ts';
import { createFakeModel } from './fake-model.ts';
import { createInferRequest } from './request.ts';

const x: Tensor = { name: 'x', datatype: 'FP32', shape: [1], data: new Float32Array([3]) };

describe('createFakeModel', () => {
  it('echoes by default and remembers what it was asked', async () => {
    const model = createFakeModel({ name: 'm' });
    const request = createInferRequest({ model: 'm', inputs: [x], id: 'seven' });
    const response = await model.infer(request, createContext());
    expect(response).toMatchObject({ model: 'm', id: 'seven', outputs: [x] });
    expect(model.requests).toEqual([request]);
  });

  it('answers as told, tells its state, and remembers how it was closed', async () => {
    const model = createFakeModel({ answer: async () => [{ ...x, name: 'y' }] });
    const response = await model.infer(createInferRequest({ model: 'fake', inputs: [] }), createContext());
    expect(response.outputs[0]?.name).toBe('y');
    const states: string[] = [];
    const stop = model.onState((state) => states.push(state));
    model.setState('degraded');
    stop();
    model.setState('ready');
    expect(states).toEqual(['degraded']);
    await model.close({ graceMs: 5 });
    expect(model.closedWith).toEqual({ graceMs: 5 });
  });
});
