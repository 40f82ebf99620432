/** What a client does to the process that it is in: it keeps it alive while somebody waits, and not a moment longer. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createServer, type RunningServer } from '../../src/server.ts';

const CLIENT = new URL('../../dist/client/client.js', import.meta.url).href;
const IRIS = fileURLToPath(new URL('../../examples/demo/iris/model.onnx', import.meta.url));

let server: RunningServer;
beforeAll(async () => {
  const models = [{ path: IRIS, name: 'iris' }];
  server = await createServer({ models, httpPort: 0, grpcPort: 0, metricsPort: false });
});
afterAll(() => server?.close({ graceMs: 0 }));

async function run(body: string): Promise<string> {
  const script = `import { createClient } from ${JSON.stringify(CLIENT)};\n${body}`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  return stdout;
}

describe.each(['http', 'grpc'])('over %s', (scheme) => {
  const url = () => (scheme === 'http' ? server.url : `grpc://${server.grpcAddress}`);

  it('the process ends by itself though its client was not closed', async () => {
    const printed = await run(`
      const client = createClient({ url: '${url()}' });
      const input = { name: 'X', datatype: 'FP32', shape: [1, 4], data: Float32Array.of(5.1, 3.5, 1.4, 0.2) };
      const { outputs } = await client.infer({ model: 'iris', inputs: [input] });
      console.log(outputs[0].data);
    `);
    expect(printed).toBe('BigInt64Array(1) [ 0n ]\n');
  });

  it('the process goes on until its client is closed, if it waits for that', async () => {
    const printed = await run(`
      const client = createClient({ url: '${url()}' });
      await client.live();
      await client.close();
      console.log('closed');
    `);
    expect(printed).toBe('closed\n');
  });

  it('the process goes on while a call waits to be tried again', async () => {
    const printed = await run(`
      const retry = { attempts: 3, firstDelayMs: 20 };
      const client = createClient({ url: '${scheme}://127.0.0.1:1', retry });
      try {
        await client.serverMetadata();
      } catch ({ code, details }) {
        console.log(code, details.got);
      }
    `);
    expect(printed).toBe('MODEL_NOT_READY ECONNREFUSED\n');
  });
});
