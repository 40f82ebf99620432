import { describe, expect, it } from 'vitest';
import type { ValueInfo } from './contract.ts';
import { findProblems } from './find-problems.ts';
import { createGraphFacts, type StoredTensor } from './graph-facts.ts';
import type { RawModel } from './raw-model.ts';

interface Node {
  readonly domain: string;
  readonly opType: string;
}

interface Parts
  extends Partial<Pick<RawModel, 'format' | 'ortVersion' | 'irVersion' | 'opsets' | 'functions'>> {
  readonly nodes?: readonly Node[];
  readonly badTensors?: readonly string[];
}

const GOOD = {
  format: 'onnx',
  ortVersion: undefined,
  irVersion: 8,
  opsets: [{ domain: 'ai.onnx', version: 17 }],
} as const;

function modelOf({ nodes = [], badTensors = [], ...rest }: Parts): RawModel {
  const facts = createGraphFacts();
  const scope = facts.openScope(undefined);
  for (const node of nodes) facts.addNode(scope, { ...node, inputs: [], outputs: [], integers: new Map() });
  for (const name of badTensors) {
    const tensor: StoredTensor = { name, elementType: 1, dims: [-1], storedDims: [-1], external: undefined };
    facts.addTable(scope, name, tensor);
  }
  return {
    ...GOOD,
    ...{ graphName: '', description: '', producerName: '', producerVersion: '', inputs: [], outputs: [] },
    ...{ initializers: new Set(), metadata: new Map(), functions: new Set(), facts, indexLimits: new Map() },
    ...rest,
  };
}

function value(name: string, rest: Partial<ValueInfo> = {}): ValueInfo {
  return {
    ...{
      name,
      kind: 'tensor',
      type: 'float32',
      datatype: 'FP32',
      shape: [],
      dimensionNames: [],
      optional: false,
    },
    ...rest,
  };
}

const Y = [value('y')];

/** Severity, place, message and fix of each problem. */
function problemsOf(parts: Parts, inputs: readonly ValueInfo[] = [], outputs: readonly ValueInfo[] = Y) {
  return findProblems(modelOf(parts), inputs, outputs).map(({ severity, where, message, fix }) => [
    severity,
    where,
    message,
    fix,
  ]);
}

describe('findProblems', () => {
  it('finds none in a model that has none', () => {
    expect(problemsOf({}, [value('x')])).toEqual([]);
  });

  describe('in versions', () => {
    it.each([undefined, 0, -1])('an IR version of %j', (irVersion) => {
      expect(problemsOf({ irVersion })).toEqual([
        [
          'error',
          'irVersion',
          'the file states no IR version',
          'export the model again with a current exporter',
        ],
      ]);
    });

    it('an IR version that is too new', () => {
      expect(problemsOf({ irVersion: 1 })).toEqual([]);
      expect(problemsOf({ irVersion: 13 })).toEqual([]);
      expect(problemsOf({ irVersion: 14 })).toEqual([
        [
          'error',
          'irVersion',
          'IR version 14 is newer than onnxruntime-node 1.30 reads (up to 13)',
          'save it with model.ir_version = 13 or lower, where its operators allow it',
        ],
      ]);
    });

    it('no operator set at all', () => {
      expect(problemsOf({ opsets: [] })).toEqual([
        [
          'error',
          'opsets',
          'the file imports no operator set; it may be cut short',
          'export or download the model again',
        ],
      ]);
    });

    it('an operator set that is too new', () => {
      const opsets = [
        { domain: 'ai.onnx', version: 27 },
        { domain: 'ai.onnx.ml', version: 5 },
        { domain: 'nobody knows', version: 99 },
      ];
      expect(problemsOf({ opsets })).toEqual([
        [
          'error',
          'opsets',
          'operator set ai.onnx 27 is newer than onnxruntime-node 1.30 knows (up to 26)',
          'export the model with opset 26 or lower (opset_version=26 in torch.onnx.export, target_opset in skl2onnx)',
        ],
      ]);
    });

    it('an operator set that is too new, in an ORT file only where it is used', () => {
      const parts = {
        format: 'ort',
        ortVersion: '6',
        opsets: [
          { domain: 'ai.onnx', version: 99 },
          { domain: 'ai.onnx.ml', version: 99 },
          { domain: 'com.microsoft.nchwc', version: 99 },
        ],
      } as const;
      const wheres = (nodes: readonly Node[]) =>
        problemsOf({ ...parts, nodes }).map(([, , message]) => message);
      expect(wheres([])).toEqual([]);
      expect(wheres([{ domain: '', opType: 'Relu' }])).toEqual([
        expect.stringContaining('operator set ai.onnx 99'),
      ]);
      expect(wheres([{ domain: 'ai.onnx.ml', opType: 'Scaler' }])).toEqual([
        expect.stringContaining('operator set ai.onnx.ml 99'),
      ]);
    });

    it('a version of the ORT format that is too new, or none', () => {
      expect(problemsOf({ format: 'ort', ortVersion: '5' })).toEqual([]);
      expect(problemsOf({ format: 'ort', ortVersion: '6' })).toEqual([]);
      for (const ortVersion of ['7', 'six']) {
        expect(problemsOf({ format: 'ort', ortVersion })).toEqual([
          [
            'error',
            'ortVersion',
            `ORT format version '${ortVersion}' is newer than onnxruntime-node 1.30 reads (up to 6)`,
            'serve the ONNX model, or convert it again with the onnxruntime Python package of the same version',
          ],
        ]);
      }
    });
  });

  describe('in operators', () => {
    const custom = (count: number, domain = 'my.custom') =>
      Array.from({ length: count }, (_, i) => ({ domain, opType: `Op${i}` }));

    it('one problem for each domain, whose first five operators are named', () => {
      const fix =
        'export the model with standard operators, or with those operators as functions in the file';
      const about = (domain: string, shown: string) => [
        'error',
        'operators',
        `the model needs a custom operator library: domain '${domain}' (${shown}) is not built into onnxruntime-node 1.30`,
        fix,
      ];
      expect(problemsOf({ nodes: [...custom(1), ...custom(2, 'other')] })).toEqual([
        about('my.custom', "'Op0'"),
        about('other', "'Op0', 'Op1'"),
      ]);
      expect(problemsOf({ nodes: custom(5) })).toEqual([
        about('my.custom', "'Op0', 'Op1', 'Op2', 'Op3', 'Op4'"),
      ]);
      expect(problemsOf({ nodes: custom(6) })).toEqual([
        about('my.custom', "'Op0', 'Op1', 'Op2', 'Op3', 'Op4', ..."),
      ]);
    });

    it.each(['ai.onnx.contrib', 'com.microsoft.extensions'])('%s needs a library that is known', (domain) => {
      expect(problemsOf({ nodes: [{ domain, opType: 'Tokenizer' }] })).toEqual([
        [
          'error',
          'operators',
          `the model needs onnxruntime-extensions: domain '${domain}' ('Tokenizer') is not built into onnxruntime-node 1.30`,
          'export the model without its pre- and post-processing steps and do those in the client',
        ],
      ]);
    });

    it('none in those that are built in, or that the model defines itself', () => {
      const nodes = [
        { domain: 'com.microsoft', opType: 'FusedMatMul' },
        { domain: '', opType: 'Relu' },
        { domain: 'my.custom', opType: 'Op0' },
      ];
      expect(problemsOf({ nodes, functions: new Set(['my.custom.Op0']) })).toEqual([]);
      expect(problemsOf({ nodes, functions: new Set(['Op0']) })).toHaveLength(1);
    });
  });

  describe('in inputs', () => {
    const named = (rest: Partial<ValueInfo>) => problemsOf({}, [value('x'), value('z', rest)]);

    it('one without a type', () => {
      expect(named({ kind: 'unknown', type: 'unknown', datatype: undefined })).toEqual([
        [
          'error',
          'inputs[1]',
          "input 'z' has no type in the file",
          'export the model again with typed inputs',
        ],
      ]);
    });

    it('one that is no tensor', () => {
      expect(named({ kind: 'sequence', type: 'seq(float32)', datatype: undefined })).toEqual([
        [
          'error',
          'inputs[1]',
          "input 'z' is seq(float32); only tensors can be sent",
          'export the model with plain tensors as inputs',
        ],
      ]);
    });

    it.each([
      ['int4', undefined, 'int8'],
      ['uint4', undefined, 'int8'],
      ['bfloat16', 'BF16', 'float32'],
      ['complex64', undefined, 'float32'],
    ] as const)('one of %s, which is not passed', (type, datatype, wider) => {
      expect(named({ type, datatype })).toEqual([
        [
          'error',
          'inputs[1]',
          `input 'z' is ${type}, which onnxruntime-node 1.30 cannot pass in or out`,
          `put a Cast to ${wider} at this place and export the model again`,
        ],
      ]);
    });

    it('one whose name is no name to the engine', () => {
      expect(problemsOf({}, [value('x'), value('__proto__')], [...Y, value('__proto__')])).toEqual(
        ['input', 'output'].map((side) => [
          'error',
          `${side}s[1]`,
          `${side} '__proto__' has a name under which onnxruntime-node 1.30 cannot pass a tensor`,
          'rename it in the graph and save the model again',
        ]),
      );
    });

    it('none in one that need not be sent', () => {
      expect(named({ optional: true, kind: 'sequence', type: 'seq(float32)', datatype: undefined })).toEqual(
        [],
      );
    });
  });

  describe('in outputs', () => {
    const offered = (rest: Partial<ValueInfo>, nodes: readonly Node[] = []) =>
      problemsOf({ nodes }, [], [...Y, value('z', { datatype: undefined, ...rest })]);

    it('one without a type', () => {
      expect(offered({ kind: 'unknown', type: 'unknown' })).toEqual([
        [
          'warning',
          'outputs[1]',
          "output 'z' has no type in the file; the model is offered without this output",
          'save the model again after onnx.shape_inference.infer_shapes(model)',
        ],
      ]);
    });

    it('one that is no tensor', () => {
      const plain = [
        'warning',
        'outputs[1]',
        "output 'z' is seq(map(int64,float32)), no tensor; the model is offered without this output",
        'export the model with plain tensors as outputs',
      ];
      const maps = { kind: 'sequence', type: 'seq(map(int64,float32))' } as const;
      expect(offered(maps)).toEqual([plain]);
      expect(offered(maps, [{ domain: 'ai.onnx.ml', opType: 'ZipMap' }])).toEqual([
        [
          'warning',
          'outputs[1]',
          "output 'z' is seq(map(int64,float32)), made by ZipMap, no tensor; the model is offered without this output",
          "convert it again with zipmap off: skl2onnx.to_onnx(model, X[:1], options={'zipmap': False})",
        ],
      ]);
      const lists = { kind: 'sequence', type: 'seq(float32)' } as const;
      expect(offered(lists, [{ domain: 'ai.onnx.ml', opType: 'ZipMap' }])).toEqual([
        plain.map((text) => text.replace('seq(map(int64,float32))', 'seq(float32)')),
      ]);
    });

    it('one of a type that is not passed', () => {
      expect(offered({ type: 'float8e4m3fn' })).toEqual([
        [
          'error',
          'outputs[1]',
          "output 'z' is float8e4m3fn, which onnxruntime-node 1.30 cannot pass in or out",
          'put a Cast to float32 at this place and export the model again',
        ],
      ]);
    });

    it('that there are none, or none that can be sent', () => {
      const fix = 'export the model with at least one plain tensor as output';
      expect(problemsOf({}, [], [])).toEqual([['error', 'outputs', 'the model has no outputs', fix]]);
      const onlyMap = [value('z', { kind: 'map', type: 'map(int64,float32)', datatype: undefined })];
      expect(problemsOf({}, [], onlyMap).at(-1)).toEqual([
        'error',
        'outputs',
        'no output of the model is a tensor that can be sent',
        fix,
      ]);
    });
  });

  it('in the dimensions of tensors', () => {
    expect(problemsOf({ badTensors: ['w\n'] })).toEqual([
      [
        'error',
        'initializers',
        "the dimensions of tensor 'w?' are negative, or too large to be",
        'the file is damaged; export or download it again',
      ],
    ]);
  });

  it('lists a bounded number of them', () => {
    const inputs = Array.from({ length: 150 }, (_, i) =>
      value(`x${i}`, { kind: 'map', datatype: undefined }),
    );
    expect(problemsOf({}, inputs)).toHaveLength(100);
  });
});
