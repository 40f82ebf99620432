/** Reflection and health, to gRPC's own Python packages, to grpcurl and to grpc-health-probe. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createServer, type RunningServer } from '../../src/server.ts';
import { describeWith, peerPath } from '../require.ts';
import { IRIS, modelRepository } from '../support/model-repository.ts';
import { runPython } from './run-python.ts';

const INFERENCE = 'inference.GRPCInferenceService';

interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs to its end, whatever that is. */
async function run(program: string, args: readonly string[]): Promise<Ended> {
  try {
    return { exitCode: 0, ...(await promisify(execFile)(peerPath(program), args)) };
  } catch (failed) {
    const { code, stdout, stderr } = failed as { code: number; stdout: string; stderr: string };
    return { exitCode: code, stdout, stderr };
  }
}

describe('a server that is asked by what it says of itself', () => {
  const repository = modelRepository();
  let server: RunningServer;
  const address = () => server.grpcAddress ?? '';

  beforeEach(async () => {
    repository.copy(IRIS, 'iris/1/model.onnx');
    server = await createServer({
      ...{ models: [repository.path], httpPort: 0, grpcPort: 0, metricsPort: false },
      repository: { mode: 'explicit' },
    });
  });

  afterEach(() => server.close({ graceMs: 0 }));

  describeWith(['gRPC for Python'], 'by a client in Python', () => {
    it('answers inference through descriptors alone, and tells of its health', async () => {
      const script = join(import.meta.dirname, 'grpc_services_client.py');
      expect(await runPython(script, [address()])).toMatch(/^\d\d checks held$/);
    });
  });

  describeWith(['grpcurl'], 'by grpcurl', () => {
    async function ask(method: string, request: object): Promise<Ended> {
      const body = ['-format-error', '-d', JSON.stringify(request)];
      return run('grpcurl', ['-plaintext', ...body, address(), `${INFERENCE}/${method}`]);
    }

    it('lists and describes what is there', async () => {
      const { stdout } = await run('grpcurl', ['-plaintext', address(), 'list']);
      expect(stdout.trim().split('\n')).toEqual([
        'grpc.health.v1.Health',
        'grpc.reflection.v1.ServerReflection',
        'grpc.reflection.v1alpha.ServerReflection',
        INFERENCE,
      ]);
      const methods = await run('grpcurl', ['-plaintext', address(), 'list', INFERENCE]);
      expect(methods.stdout).toContain(`${INFERENCE}.ModelInfer\n`);
      const described = await run('grpcurl', [
        '-plaintext',
        address(),
        'describe',
        'inference.ModelInferRequest',
      ]);
      expect(described.stdout).toContain('repeated bytes raw_input_contents = 7;');
    });

    it('asks models that it loads, one request or a stream of them', async () => {
      expect((await ask('RepositoryModelLoad', { model_name: 'iris' })).exitCode).toBe(0);
      const contents = { fp32_contents: [5.1, 3.5, 1.4, 0.2] };
      const request = {
        ...{ model_name: 'iris', id: '7', outputs: [{ name: 'label' }] },
        inputs: [{ name: 'X', datatype: 'FP32', shape: [1, 4], contents }],
      };
      const { stdout } = await ask('ModelInfer', request);
      expect(JSON.parse(stdout)).toMatchObject({
        ...{ modelName: 'iris', modelVersion: '1', id: '7' },
        outputs: [{ name: 'label', datatype: 'INT64', shape: ['1'] }],
        // The label 0, as the eight bytes of an INT64.
        rawOutputContents: ['AAAAAAAAAAA='],
      });
      const streamed = await ask('ModelStreamInfer', request);
      expect(JSON.parse(streamed.stdout)).toMatchObject({ inferResponse: { id: '7' } });
      const refused = await ask('ModelInfer', { model_name: 'nobody' });
      expect(refused.exitCode).not.toBe(0);
      expect(refused.stderr).toContain("Request for unknown model: 'nobody' is not found");
    });
  });

  describeWith(['grpc-health-probe'], 'by grpc-health-probe', () => {
    async function probe(...args: readonly string[]): Promise<Ended> {
      return run('grpc-health-probe', ['-addr', address(), ...args]);
    }

    it('is healthy as a whole, as a service, and model by model', async () => {
      for (const service of [[], ['-service', INFERENCE]]) {
        expect(await probe(...service)).toMatchObject({
          exitCode: 0,
          stderr: expect.stringContaining('status: SERVING'),
        });
      }
      const iris = ['-service', 'iris'];
      expect(await probe(...iris)).toMatchObject({
        exitCode: 3,
        stderr: expect.stringContaining('NotFound'),
      });
      await server.control.load('iris');
      expect((await probe(...iris)).exitCode).toBe(0);
      server.startDraining();
      expect(await probe()).toMatchObject({
        exitCode: 4,
        stderr: expect.stringContaining('NOT_SERVING'),
      });
    });
  });
});
