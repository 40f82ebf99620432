/** `nimify/client` against a real server with certificates, which asks its clients for theirs. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClientTls, createClient } from '../../src/client/client.ts';
import { createServer, type RunningServer } from '../../src/server.ts';
import { issue, issueCa } from '../support/certificates.ts';
import { IRIS } from '../support/model-repository.ts';
import { createTlsFixture, type TlsFixture } from '../support/tls-fixture.ts';

let fixture: TlsFixture;
let server: RunningServer;

beforeAll(async () => {
  fixture = createTlsFixture();
  const { certFile, keyFile, caFile } = fixture;
  server = await createServer({
    models: [{ path: IRIS, name: 'iris' }],
    httpPort: 0,
    grpcPort: 0,
    metricsPort: false,
    tls: { certFile, keyFile, clientCaFile: caFile },
  });
});

afterAll(async () => {
  await server?.close({ graceMs: 0 });
  fixture?.remove();
});

describe.each(['https', 'grpcs'])('over %s', (scheme) => {
  async function label(tls?: ClientTls): Promise<unknown> {
    const url = scheme === 'https' ? server.url : `grpcs://${server.grpcAddress}`;
    const client = createClient({ url, retry: { attempts: 1 }, ...(tls === undefined ? {} : { tls }) });
    try {
      const data = Float32Array.of(5.1, 3.5, 1.4, 0.2);
      const input = { name: 'X', datatype: 'FP32', shape: [1, 4], data } as const;
      return (await client.infer({ model: 'iris', inputs: [input], outputs: ['label'] })).outputs[0]?.data;
    } finally {
      await client.close();
    }
  }

  it('infers with the authority and a certificate of its own', async () => {
    const { ca, client } = fixture;
    const own = { cert: client.cert, key: client.key };
    expect(await label({ ca: ca.cert, ...own })).toEqual(BigInt64Array.of(0n));
    expect(
      await label({ ca: Buffer.from(ca.cert), cert: Buffer.from(own.cert), key: Buffer.from(own.key) }),
    ).toEqual(BigInt64Array.of(0n));
  });

  it.each([
    ['an authority that nobody trusts', () => undefined, /authority that is trusted/],
    ['another authority', () => ({ ca: issueCa('another').cert }), /authority that is trusted/],
    ['no certificate of its own', () => ({ ca: fixture.ca.cert }), /cannot be used/],
  ])('is refused with %s', async (_, tls, message) => {
    await expect(label(tls())).rejects.toMatchObject({
      code: 'MODEL_NOT_READY',
      message: expect.stringMatching(message),
    });
  });

  it.each([
    ['what is no certificate', () => ({ ca: 'nothing', cert: 'nothing', key: 'nothing' })],
    ['a certificate without its key', () => ({ cert: fixture.client.cert })],
    ['the key of another', () => ({ cert: fixture.client.cert, key: issue({ name: 'other' }).key })],
  ])('%s is found when the client is made', (_, tls) => {
    expect(() => createClient({ url: `${scheme}://h`, tls: tls() })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(/^tls: expected/) }),
    );
  });
});

it.each(['http', 'grpc'])('in clear text, over %s, it says that the connection failed', async (scheme) => {
  const address = scheme === 'http' ? new URL(server.url).host : server.grpcAddress;
  const client = createClient({ url: `${scheme}://${address}`, retry: { attempts: 1 } });
  await expect(client.live()).rejects.toMatchObject({ code: 'MODEL_NOT_READY' });
  await client.close();
});
