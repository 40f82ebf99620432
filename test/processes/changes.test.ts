import { connect as connectSecurely } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { issue } from '../support/certificates.ts';
import { DIGITS, IRIS, modelRepository } from '../support/model-repository.ts';
import { createTlsFixture } from '../support/tls-fixture.ts';
import { closeProcesses, serveProcesses } from './start-processes.ts';

afterEach(closeProcesses);

describe.runIf(process.platform === 'linux')('what changes on disk', () => {
  const repository = modelRepository();

  it('is taken up by all processes: models', async () => {
    repository.copy(IRIS, 'iris/1/model.onnx');
    const { clients } = await serveProcesses(
      ...[repository.path, '--model-control-mode', 'poll', '--repository-poll-secs', '1'],
    );
    const both = await clients();
    const statuses = (model: string) =>
      Promise.all(both.map(async (client) => (await client.ask('GET', `/v2/models/${model}/ready`)).status));
    expect(await statuses('digits')).toEqual([404, 404]);
    repository.copy(DIGITS, 'digits/1/model.onnx');
    await expect.poll(() => statuses('digits')).toEqual([200, 200]);
    repository.remove('iris');
    await expect.poll(() => statuses('iris')).toEqual([404, 404]);
  });

  it('is taken up by all processes: certificates', async () => {
    const fixture = createTlsFixture();
    try {
      const files = ['--tls-cert-file', fixture.certFile, '--tls-key-file', fixture.keyFile];
      const { httpPort } = await serveProcesses(IRIS, ...files);
      /** The names in the certificates of both: one connection is held while the other is made. */
      async function names(): Promise<readonly (string | undefined)[]> {
        const sockets = [await handshake(httpPort), await handshake(httpPort)];
        const all = sockets.map((socket) => String(socket.getPeerCertificate().subject.CN));
        for (const socket of sockets) socket.destroy();
        return all;
      }
      expect(await names()).toEqual(['test server', 'test server']);
      fixture.renew(issue({ name: 'renewed server', issuer: fixture.ca }));
      await expect.poll(names, { timeout: 30_000 }).toEqual(['renewed server', 'renewed server']);
    } finally {
      fixture.remove();
    }
  });
});

function handshake(port: number) {
  return new Promise<ReturnType<typeof connectSecurely>>((resolve, reject) => {
    const socket = connectSecurely({ port, host: '127.0.0.1', rejectUnauthorized: false });
    socket.once('secureConnect', () => resolve(socket));
    socket.once('error', reject);
  });
}
