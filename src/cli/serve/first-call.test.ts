import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { toBytesData } from '../../base/tensor/bytes.ts';
import type { Datatype } from '../../base/tensor/datatype.ts';
import type { Tensor } from '../../base/tensor/tensor.ts';
import type { TensorSpec } from '../../model/signature.ts';
import { createFakeServed } from '../../protocol/http/fake-registry.ts';
import type { ServedModel } from '../../registry/contract.ts';
import { createRegistry } from '../../registry/registry.ts';
import { firstCall } from './first-call.ts';

const URL = 'http://127.0.0.1:8000';

function spec(name: string, datatype: Datatype, shape: readonly number[]): TensorSpec {
  return { name, datatype, shape, dimensionNames: [] };
}

function served(
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
  specs: readonly TensorSpec[],
): ServedModel {
  const signature = {
    inputs: specs,
    outputs: specs.map((one) => ({ ...one, name: 'y' })),
    batchAxis: 'none',
  } as const;
  return {
    ...createFakeServed({ name: "o'hare", signature }),
    example: { inputs, outputs, origin: 'generated' },
  };
}

function call(model: ServedModel, isNamed = false) {
  const registry = createRegistry();
  registry.add(model);
  return firstCall(model, { curl: 'curl -s', url: URL, registry, isNamed });
}

/** What the command would send: the command with `printf` in the place of `curl`, run by a shell. */
function bodyOf(command: string): unknown {
  const script = command.startsWith('awk')
    ? command.replace(/\| curl .*$/, '')
    : command.replace(/^curl -s \S+ -d /, "printf '%s' ");
  return JSON.parse(execFileSync('sh', ['-c', script]).toString());
}

const X: Tensor = { name: 'x', datatype: 'FP32', shape: [1, 2], data: Float32Array.of(0.1, 2) };
const Y: Tensor = { ...X, name: 'y' };

describe('firstCall', () => {
  it('asks what the self-test asked, and expects its answer', async () => {
    const found = await call(served([X], [Y], [spec('x', 'FP32', [-1, 2])]));
    expect(bodyOf(found!.command)).toEqual({ x: [[0.1, 2]] });
    expect(found!.command).toContain(`curl -s ${URL}/v1/predict -d`);
    expect(JSON.parse(found!.answer)).toEqual({ model: "o'hare", version: '1', outputs: { y: [[0.1, 2]] } });
  });

  it('names the model where several are served, and survives quotes', async () => {
    const text: Tensor = {
      name: 't',
      datatype: 'BYTES',
      shape: [1],
      data: toBytesData(['it\'s $(id) "so"']),
    };
    const found = await call(served([text], [], [spec('t', 'BYTES', [-1])]), true);
    expect(bodyOf(found!.command)).toEqual({ model: "o'hare", t: ['it\'s $(id) "so"'] });
  });

  it('wraps inputs that are called like members of the body', async () => {
    const found = await call(served([{ ...X, name: 'model' }], [Y], [spec('model', 'FP32', [-1, 2])]));
    expect(bodyOf(found!.command)).toEqual({ inputs: { model: [[0.1, 2]] } });
  });

  it('asks with zeros where the example is too long for a line', async () => {
    const long: Tensor = {
      name: 'a "b\\',
      datatype: 'FP32',
      shape: [2, 400],
      data: new Float32Array(800).fill(0.3),
    };
    const found = await call(served([long], [], [spec('a "b\\', 'FP32', [-1, 400])]), true);
    expect(found!.command.length).toBeLessThan(250);
    expect(bodyOf(found!.command)).toEqual({ model: "o'hare", 'a "b\\': Array(400).fill(0) });
    expect(JSON.parse(found!.answer)).toMatchObject({ outputs: { y: [Array(400).fill(0)] } });
  });

  it.each([
    [
      'nothing answered the self-test',
      { ...served([X], [Y], [spec('x', 'FP32', [-1, 2])]), example: undefined },
    ],
    [
      'the length is open',
      served([{ ...X, shape: [1, 800], data: new Float32Array(800) }], [], [spec('x', 'FP32', [-1, -1])]),
    ],
    [
      'it is text',
      served(
        [{ name: 't', datatype: 'BYTES', shape: [300], data: toBytesData(Array(300).fill('a')) }],
        [],
        [spec('t', 'BYTES', [300])],
      ),
    ],
  ])('has none where %s', async (_, model) => {
    expect(await call(model)).toBeUndefined();
  });

  it('has none where the model refuses zeros', async () => {
    const long: Tensor = { name: 'x', datatype: 'FP32', shape: [1, 400], data: new Float32Array(400) };
    const model = served([long], [], [spec('x', 'FP32', [1, 400])]);
    const refusing = {
      ...model,
      model: { ...model.model, infer: () => Promise.reject(new Error('no zeros')) },
    };
    expect(await call(refusing)).toBeUndefined();
  });
});
