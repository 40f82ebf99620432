/** Starts a server on a free port, asks it one question over HTTP and stops it: what a test of yours would do. */
import { createServer } from 'nimify';

/** The species' number that the demo model `iris` answers for four lengths in cm. */
export async function askOverHttp(path: string, lengthsCm: readonly number[]): Promise<number> {
  const server = await createServer({ models: [path], httpPort: 0, metricsPort: false });
  try {
    const input = { name: 'X', shape: [1, lengthsCm.length], datatype: 'FP32', data: lengthsCm };
    const answer = await fetch(`${server.url}/v2/models/iris/infer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ inputs: [input], outputs: [{ name: 'label' }] }),
    });
    if (!answer.ok) throw new Error(await answer.text());
    const { outputs } = (await answer.json()) as { outputs: [{ data: [number] }] };
    return outputs[0].data[0];
  } finally {
    await server.close();
  }
}
