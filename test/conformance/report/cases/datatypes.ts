import { expect } from 'vitest';
import type { InferTensorContents } from '../../../../src/protocol/grpc/generated/inference/infer_pb.ts';
import { GRPCInferenceService } from '../../../../src/protocol/grpc/generated/inference/service_pb.ts';
import { fromBytes, fromHalf, toBytes, toHalf, type Value } from '../../../support/tensor.ts';
import { answers, fails, refuses, replies } from '../expectations.ts';
import { ELEMENT_TYPES, identityName, type OipDatatype } from '../models.ts';
import { probe, type Section, type Statement } from '../probe.ts';
import type { GrpcAnswer, HttpAnswer, Target } from '../target.ts';

const { method } = GRPCInferenceService;
const { modelInfer } = method;

/** Four values of each: its ends, and what is easily lost on the way. */
const VALUES: Readonly<Record<OipDatatype, readonly Value[]>> = {
  BOOL: [true, false, false, true],
  UINT8: [0, 1, 128, 255],
  UINT16: [0, 1, 32768, 65535],
  UINT32: [0, 1, 2 ** 31, 2 ** 32 - 1],
  UINT64: [0n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n],
  INT8: [-128, -1, 0, 127],
  INT16: [-32768, -1, 0, 32767],
  INT32: [-(2 ** 31), -1, 0, 2 ** 31 - 1],
  INT64: [-(2n ** 63n), -1n, 2n ** 53n + 1n, 2n ** 63n - 1n],
  FP16: [65504, -0.0999755859375, 2 ** -24, 0.5],
  FP32: [3.4028234663852886e38, -1.401298464324817e-45, Math.fround(0.1), 0.5],
  FP64: [Number.MAX_VALUE, Number.MIN_VALUE, 0.1, -0.5],
  BYTES: ['', 'plain', 'ümlaut, 日本語', '"\\\n'],
};

type Contents = Exclude<keyof InferTensorContents, '$typeName' | '$unknown'>;

/** Where typed contents have them; 16-bit floats have no place there. */
const FIELDS: Readonly<Record<Exclude<OipDatatype, 'FP16'>, Contents>> = {
  ...{ BOOL: 'boolContents', FP32: 'fp32Contents', FP64: 'fp64Contents', BYTES: 'bytesContents' },
  ...{ UINT8: 'uintContents', UINT16: 'uintContents', UINT32: 'uintContents', UINT64: 'uint64Contents' },
  ...{ INT8: 'intContents', INT16: 'intContents', INT32: 'intContents', INT64: 'int64Contents' },
};

/** The elements as text, since JSON.stringify does not write 64-bit integers, nor JSON.parse read them. */
function jsonOf(values: readonly Value[]): string {
  return `[${values.map((value) => (typeof value === 'bigint' ? String(value) : JSON.stringify(value))).join(',')}]`;
}

function askJson(target: Target, datatype: OipDatatype) {
  const head = `{"name":"INPUT","datatype":"${datatype}","shape":[1,4],"data":${jsonOf(VALUES[datatype])}}`;
  const outputs = '"outputs":[{"name":"OUTPUT","parameters":{"binary_data":true}}]';
  const body = Buffer.from(`{"inputs":[${head}],${outputs}}`);
  const json = { 'content-type': 'application/json' };
  return target.http('POST', `v2/models/${identityName(datatype)}/infer`, body, json);
}

/** Bytes in, JSON out. */
function askBinary(target: Target, datatype: OipDatatype) {
  const bytes = toBytes({ datatype, values: VALUES[datatype] });
  const parameters = { binary_data_size: bytes.length };
  const head = Buffer.from(
    JSON.stringify({ inputs: [{ name: 'INPUT', datatype, shape: [1, 4], parameters }] }),
  );
  return target.http('POST', `v2/models/${identityName(datatype)}/infer`, Buffer.concat([head, bytes]), {
    'content-type': 'application/octet-stream',
    'inference-header-content-length': String(head.length),
  });
}

function askTyped(target: Target, datatype: Exclude<OipDatatype, 'FP16'>) {
  const values =
    datatype === 'BYTES' ? VALUES.BYTES.map((text) => Buffer.from(String(text))) : VALUES[datatype];
  const contents = { [FIELDS[datatype]]: values };
  return target.grpc(modelInfer, {
    modelName: identityName(datatype),
    inputs: [{ name: 'INPUT', datatype, shape: [1n, 4n], contents }],
  });
}

function askRaw(target: Target, datatype: OipDatatype) {
  return target.grpc(modelInfer, {
    modelName: identityName(datatype),
    inputs: [{ name: 'INPUT', datatype, shape: [1n, 4n] }],
    rawInputContents: [toBytes({ datatype, values: VALUES[datatype] })],
  });
}

function sameBinary(datatype: OipDatatype): (answer: HttpAnswer) => void {
  return (answer) => {
    answers(200, { outputs: [{ name: 'OUTPUT', datatype, shape: [1, 4] }] })(answer);
    expect(fromBytes(datatype, answer.binary)).toEqual(VALUES[datatype]);
  };
}

/** As the nearest of its datatype: JSON has as few digits as tell it from its neighbours. */
const NEAREST: Partial<Readonly<Record<OipDatatype, (value: number) => Value>>> = {
  ...{ INT64: BigInt, UINT64: BigInt, FP32: Math.fround, FP16: (value) => fromHalf(toHalf(value)) },
};

/** That 64-bit integers are exact shows only in the text, which has a statement of its own. */
function sameJson(datatype: OipDatatype): (answer: HttpAnswer) => void {
  const nearest = NEAREST[datatype] ?? ((value) => value);
  return (answer) => {
    answers(200, { outputs: [{ name: 'OUTPUT', datatype, shape: [1, 4] }] })(answer);
    const [output] = (answer.body as { readonly outputs: { readonly data: (number & string)[] }[] }).outputs;
    const asRead = VALUES[datatype].map((value) =>
      typeof value === 'bigint' ? BigInt(Number(value)) : value,
    );
    expect(output?.data.map(nearest)).toEqual(asRead);
  };
}

function sameRaw(
  datatype: OipDatatype,
): (answer: GrpcAnswer<{ readonly rawOutputContents: Uint8Array[] }>) => void {
  return (answer) => {
    replies({ outputs: [{ name: 'OUTPUT', datatype, shape: [1n, 4n] }] })(answer);
    const [raw = new Uint8Array(0)] = answer.message?.rawOutputContents ?? [];
    expect(fromBytes(datatype, Buffer.from(raw))).toEqual(VALUES[datatype]);
  };
}

function statementsOf(datatype: OipDatatype): readonly Statement[] {
  const typed = datatype === 'FP16' ? undefined : (target: Target) => askTyped(target, datatype);
  return [
    {
      operation: datatype,
      says: 'elements in JSON, in typed contents: unchanged to the last bit',
      http: probe('POST v2/models/{m}/infer', (target) => askJson(target, datatype), sameBinary(datatype)),
      ...(typed && { grpc: probe('ModelInfer', typed, sameRaw(datatype)) }),
    },
    {
      operation: datatype,
      says: 'elements as bytes, in raw contents',
      http: probe('POST v2/models/{m}/infer', (target) => askBinary(target, datatype), sameJson(datatype)),
      grpc: probe('ModelInfer', (target) => askRaw(target, datatype), sameRaw(datatype)),
    },
  ];
}

const ANY_BYTES = Buffer.from([0xff, 0xfe, 0x00, 0x01]);
const ONLY_TEXT =
  'ONNX has strings and no other bytes: elements that are no UTF-8, or hold a zero byte, are refused, since ONNX Runtime would cut or change them';

export const DATATYPES: Section = {
  title: 'Datatypes',
  source:
    'kserve/open-inference-protocol, specification/protocol/inference_grpc.md ("Tensor Data"), and triton-inference-server/server, docs/protocol/extension_binary_data.md',
  file: 'datatypes',
  statements: [
    ...(Object.keys(ELEMENT_TYPES) as OipDatatype[]).flatMap(statementsOf),
    {
      operation: 'INT64',
      says: 'integers beyond 2^53 stand in the answer exactly',
      http: probe(
        'POST v2/models/{m}/infer',
        (target) => {
          const input = `{"name":"INPUT","datatype":"INT64","shape":[1,4],"data":${jsonOf(VALUES.INT64)}}`;
          const json = { 'content-type': 'application/json' };
          return target.http(
            'POST',
            'v2/models/identity_int64/infer',
            Buffer.from(`{"inputs":[${input}]}`),
            json,
          );
        },
        ({ text }) => expect(text).toContain(jsonOf(VALUES.INT64)),
      ),
    },
    {
      operation: 'BYTES',
      says: 'any bytes as elements',
      http: probe(
        'POST v2/models/{m}/infer',
        (target) => {
          const length = Buffer.of(ANY_BYTES.length, 0, 0, 0);
          const bytes = Buffer.concat(Array(4).fill(Buffer.concat([length, ANY_BYTES])));
          const tensor = {
            name: 'INPUT',
            datatype: 'BYTES',
            shape: [1, 4],
            parameters: { binary_data_size: bytes.length },
          };
          const head = Buffer.from(JSON.stringify({ inputs: [tensor] }));
          return target.http('POST', 'v2/models/identity_bytes/infer', Buffer.concat([head, bytes]), {
            'content-type': 'application/octet-stream',
            'inference-header-content-length': String(head.length),
          });
        },
        answers(200),
        { because: ONLY_TEXT, holds: refuses(400, 'element 0') },
      ),
      grpc: probe(
        'ModelInfer',
        (target) => {
          const contents = { bytesContents: Array<Buffer>(4).fill(ANY_BYTES) };
          const inputs = [{ name: 'INPUT', datatype: 'BYTES', shape: [1n, 4n], contents }];
          return target.grpc(modelInfer, { modelName: 'identity_bytes', inputs });
        },
        replies(),
        { because: ONLY_TEXT, holds: fails(3, 'element 0') },
      ),
    },
    {
      operation: 'FP16',
      says: 'nowhere in typed contents, which have no field for it',
      grpc: probe(
        'ModelInfer',
        (target) => {
          const inputs = [
            { name: 'INPUT', datatype: 'FP16', shape: [1n, 4n], contents: { fp32Contents: [1, 2, 3, 4] } },
          ];
          return target.grpc(modelInfer, { modelName: 'identity_fp16', inputs });
        },
        fails(3, 'raw_input_contents'),
      ),
    },
    {
      operation: 'BF16',
      says: "Triton's addition: a model that has it can be loaded",
      http: probe(
        'POST v2/repository/models/{m}/load',
        async (target) => {
          const answer = await target.http('POST', 'v2/repository/models/bf16/load');
          // A model that could not be loaded counts for the health of the server.
          await target.http('POST', 'v2/repository/models/bf16/unload');
          return answer;
        },
        answers(200),
      ),
      grpc: probe(
        'RepositoryModelLoad',
        async (target) => {
          const answer = await target.grpc(method.repositoryModelLoad, { modelName: 'bf16' });
          await target.grpc(method.repositoryModelUnload, { modelName: 'bf16' });
          return answer;
        },
        replies(),
      ),
    },
  ],
};
