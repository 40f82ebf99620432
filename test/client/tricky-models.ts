/** A server of models whose names and types are what generated clients stumble over. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll } from 'vitest';
import { createServer, type RunningServer } from '../../src/server.ts';
import { type IdentityPair, identityModel } from '../support/identity-model.ts';

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** X FP32 [N,4] -> label INT64 [N], probabilities FP32 [N,3]. */
export const IRIS = at('../examples/demo/iris/model.onnx');
const CHURN = at('../examples/demo/churn/model.onnx');

const DATATYPES = [
  ...(['BOOL', 'UINT8', 'UINT16', 'UINT32', 'UINT64', 'INT8', 'INT16', 'INT32', 'INT64'] as const),
  ...(['FP16', 'FP32', 'FP64', 'BYTES'] as const),
];

const one = (input: string, output = 'y', shape: IdentityPair['shape'] = ['N', 2]): IdentityPair => ({
  input,
  output,
  datatype: 'FP32',
  shape,
});

const MADE: Readonly<Record<string, readonly IdentityPair[]>> = {
  every: DATATYPES.map((datatype) => ({
    ...{ input: datatype.toLowerCase(), output: `${datatype.toLowerCase()}_out` },
    ...{ datatype, shape: [datatype] },
  })),
  shapes: [one('scalar', 'scalar_out', []), one('cube', 'cube_out', ['N', 2, 2])],
  'a-b': [one('x')],
  a_b: [one('x')],
  class: [
    one('input.1', 'input.1_out'),
    one('class', 'class_out'),
    one('self', 'it\'s "so" */'),
    one('options', '__x'),
    one('名前', 'return'),
    one('na me', 'na-me'),
    one('na_me', 'na_me_out'),
  ],
  '1st': [one('1')],
  ready: [one('Tensor', 'list')],
};

/** Text that would end strings and comments, were it written there as it is. */
const HOSTILE: IdentityPair = {
  ...{ input: 'a"""\\\n*/\u2028`', output: "b'\\", datatype: 'FP32' },
  shape: ['*/ """', '\\', "'\n#"],
};

export interface TrickyServer {
  readonly url: string;
  /** A model of which no server is asked. */
  readonly hostile: string;
  /** For files that a test makes. */
  readonly folder: string;
}

/** Serves them for the tests of the `describe` that it is called in. */
export function serveTrickyModels(): TrickyServer {
  let server: RunningServer | undefined;
  const folder = mkdtempSync(join(tmpdir(), 'nimify-clients-'));

  beforeAll(async () => {
    const models = Object.entries(MADE).map(([name, pairs]) => {
      const path = join(folder, `${name}.onnx`);
      writeFileSync(path, identityModel(...pairs));
      return { name, path };
    });
    writeFileSync(join(folder, 'hostile.onnx'), identityModel(HOSTILE));
    server = await createServer({
      models: [{ name: 'iris', path: IRIS }, { name: 'churn', path: CHURN }, ...models],
      httpPort: 0,
      metricsPort: false,
      engine: { host: 'inline', batchAxis: 'none' },
    });
  });

  afterAll(async () => {
    await server?.close({ graceMs: 0 });
    rmSync(folder, { recursive: true, force: true });
  });

  return {
    get url() {
      if (server === undefined) throw new Error('the server is not up');
      return server.url;
    },
    hostile: join(folder, 'hostile.onnx'),
    folder,
  };
}
