import { describe, expect, it } from 'vitest';
import { readHello, writeHello } from './process-hello.ts';

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const tensor = (name: string, shape: readonly number[], more: object = {}) => ({
  name,
  datatype: 'FP32',
  shape,
  ...more,
});
const model = { inputs: [tensor('x', [-1, 4])], outputs: [tensor('y', [-1])] };

describe('readHello', () => {
  it('takes a minimal hello', () => {
    expect(readHello(json({ protocol: 1, model }))).toEqual({
      platform: 'program',
      signature: {
        inputs: [{ ...tensor('x', [-1, 4]), dimensionNames: [undefined, undefined] }],
        outputs: [{ ...tensor('y', [-1]), dimensionNames: [undefined] }],
        batchAxis: 'none',
      },
      batchAxisReason: 'the program does not say that rows are independent (batchable)',
      slots: 1,
      deterministic: false,
      memoryBytes: 0,
    });
  });

  it('takes all that a hello may say, and passes over what it does not know', () => {
    const inputs = [
      tensor('x', [-1, 4], { dimension_names: ['batch', null], extra: 1 }),
      tensor('z', [], { optional: true }),
    ];
    const outputs = [tensor('y', [-1], { dimension_names: ['batch'] })];
    const all = { batchable: true, deterministic: true, slots: 3, memory_bytes: 99, later: {} };
    const hello = readHello(
      json({ protocol: 1, model: { platform: 'go', name: 'n', inputs, outputs }, ...all }),
    );
    expect(hello).toMatchObject({ platform: 'go', slots: 3, deterministic: true, memoryBytes: 99 });
    expect(hello.signature.batchAxis).toBe(0);
    expect(hello.signature.inputs[0]?.dimensionNames).toEqual(['batch', undefined]);
    expect(hello.signature.inputs[1]?.optional).toBe(true);
    expect(readHello(writeHello(hello))).toEqual(hello);
  });

  it('knows the rows of fixed batches, of a program that says that they are independent', () => {
    const model = { inputs: [tensor('x', [4, 2])], outputs: [tensor('y', [4])] };
    const hello = readHello(json({ protocol: 1, batchable: true, model }));
    expect(hello).toMatchObject({ fixedRows: 4, signature: { batchAxis: 'none' } });
    expect(readHello(json({ protocol: 1, model }))).not.toHaveProperty('fixedRows');
  });

  it('says why rows cannot be counted', () => {
    const fixed = { inputs: [tensor('x', [4])], outputs: [tensor('y', [-1], { any_rank: true })] };
    const hello = readHello(json({ protocol: 1, batchable: true, model: fixed }));
    expect(hello.signature.batchAxis).toBe('none');
    expect(hello.batchAxisReason).toContain('fixed at 4');
  });

  it.each([
    ['no JSON', new TextEncoder().encode('{nope'), /expected JSON, got '\{nope'/],
    ['a list', json([]), /an object in hello, got \[\]/],
    ['another version', json({ protocol: 2, model }), /hello.protocol 1, got 2/],
    ['no model', json({ protocol: 1 }), /hello.model, got nothing/],
    ['no outputs', json({ protocol: 1, model: { inputs: [], outputs: [] } }), /at least one entry/],
    ['no list', json({ protocol: 1, model: { inputs: {}, outputs: [] } }), /a list in hello.model.inputs/],
    [
      'a name twice',
      json({ protocol: 1, model: { ...model, inputs: [tensor('x', []), tensor('x', [])] } }),
      /once/,
    ],
    [
      'a bad dimension',
      json({ protocol: 1, model: { ...model, inputs: [tensor('x', [-2])] } }),
      /inputs\[0\].shape/,
    ],
    [
      'a bad name',
      json({ protocol: 1, model: { ...model, inputs: [tensor('', [])] } }),
      /a text in .*\.name/,
    ],
    [
      'names of another rank',
      json({ protocol: 1, model: { ...model, inputs: [tensor('x', [1], { dimension_names: [] })] } }),
      /each of the 1 dim/,
    ],
    [
      'an unknown datatype',
      json({ protocol: 1, model: { ...model, inputs: [{ ...tensor('x', []), datatype: 'FLOAT' }] } }),
      /"FLOAT"/,
    ],
    ['no slots', json({ protocol: 1, model, slots: 0 }), /hello.slots from 1 to 1024, got 0/],
    ['odd memory', json({ protocol: 1, model, memory_bytes: -1 }), /hello.memory_bytes/],
    [
      'an odd boolean',
      json({ protocol: 1, model, batchable: 'yes' }),
      /true or false in hello.batchable, got "yes"/,
    ],
  ])('refuses %s', (_what, bytes, reason) => {
    expect(() => readHello(bytes)).toThrow(reason);
  });
});
