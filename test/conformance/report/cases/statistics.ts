import { expect } from 'vitest';
import { GRPCInferenceService } from '../../../../src/protocol/grpc/generated/inference/service_pb.ts';
import { answers, fails, refuses, replies } from '../expectations.ts';
import { probe, type Section } from '../probe.ts';
import type { Target } from '../target.ts';
import { listed } from './extensions.ts';

const { method } = GRPCInferenceService;
const { modelStatistics, modelInfer } = method;

interface Counts {
  readonly inferences: number;
  readonly executions: number;
  readonly successes: number;
}

const DURATION = { count: expect.any(Number), ns: expect.any(Number) };
const PARTS = { compute_input: DURATION, compute_infer: DURATION, compute_output: DURATION };

/** What stands of one model and version, before and after a request with 5 rows. */
async function asHttp(target: Target) {
  const data = Array(20).fill(1);
  await target.http('POST', 'v2/models/counted/infer', {
    inputs: [{ name: 'X', datatype: 'FP32', shape: [5, 4], data }],
  });
  return target.http('GET', 'v2/models/counted/versions/1/stats');
}

async function asGrpc(target: Target) {
  await target.grpc(modelInfer, {
    modelName: 'counted',
    inputs: [{ name: 'X', datatype: 'FP32', shape: [5n, 4n], contents: { fp32Contents: Array(20).fill(1) } }],
  });
  return target.grpc(modelStatistics, { name: 'counted', version: '1' });
}

function countsOfJson(body: unknown): Counts {
  const [stat] = (
    body as {
      model_stats: {
        inference_count: number;
        execution_count: number;
        inference_stats: { success: { count: number } };
      }[];
    }
  ).model_stats;
  return {
    inferences: stat?.inference_count ?? 0,
    executions: stat?.execution_count ?? 0,
    successes: stat?.inference_stats.success.count ?? 0,
  };
}

function names(versions: readonly (readonly [string, string])[]) {
  return versions.map(([name, version]) => ({ name, version }));
}

const IRIS = names([
  ['iris', '1'],
  ['iris', '2'],
]);

const SINCE_LOADED = 'they count since the model was loaded: what takes its place starts anew';

export const STATISTICS: Section = {
  title: 'Statistics',
  source: 'triton-inference-server/server, docs/protocol/extension_statistics.md',
  file: 'statistics',
  statements: [
    listed('statistics'),
    {
      operation: 'Statistics',
      says: 'of one version: times and counts of each phase, and for each size of batch',
      http: probe(
        'GET v2/models/{m}/versions/{v}/stats',
        asHttp,
        answers(200, {
          model_stats: [
            {
              ...{ name: 'counted', version: '1', last_inference: expect.any(Number) },
              inference_stats: {
                success: DURATION,
                fail: DURATION,
                queue: DURATION,
                ...PARTS,
                cache_hit: DURATION,
              },
              batch_stats: [{ batch_size: 5, ...PARTS }],
            },
          ],
        }),
      ),
      grpc: probe('ModelStatistics', asGrpc, (answer) => {
        replies({ modelStats: [{ name: 'counted', version: '1', batchStats: [{ batchSize: 5n }] }] })(answer);
        const [stat] = answer.message?.modelStats ?? [];
        expect(stat?.lastInference).toBeGreaterThan(1_600_000_000_000n);
        expect(stat?.inferenceStats?.computeInfer?.ns).toBeGreaterThan(0n);
        expect(stat?.inferenceStats?.cacheHit).toMatchObject({ count: 0n });
      }),
    },
    {
      operation: 'Statistics',
      says: '`inference_count` counts rows, `execution_count` and `success` the request',
      http: probe(
        'GET v2/models/{m}/versions/{v}/stats',
        async (target) => {
          const before = countsOfJson((await asHttp(target)).body);
          const answer = await asHttp(target);
          const after = countsOfJson(answer.body);
          return {
            ...answer,
            body: {
              inferences: after.inferences - before.inferences,
              executions: after.executions - before.executions,
              successes: after.successes - before.successes,
            },
          };
        },
        answers(200, { inferences: 5, executions: 1, successes: 1 }),
      ),
      grpc: probe(
        'ModelStatistics',
        async (target) => {
          const [before] = (await asGrpc(target)).message?.modelStats ?? [];
          const answer = await asGrpc(target);
          const [after] = answer.message?.modelStats ?? [];
          return {
            ...answer,
            message: {
              inferences: Number((after?.inferenceCount ?? 0n) - (before?.inferenceCount ?? 0n)),
              executions: Number((after?.executionCount ?? 0n) - (before?.executionCount ?? 0n)),
            },
          };
        },
        replies({ inferences: 5, executions: 1 }),
      ),
    },
    {
      operation: 'Statistics',
      says: 'since the server started, also where the model was loaded anew in between',
      http: probe(
        'GET v2/models/{m}/versions/{v}/stats',
        async (target) => {
          await asHttp(target);
          const config = '{"max_batch_size": 16}';
          answers(200)(
            await target.http('POST', 'v2/repository/models/counted/load', { parameters: { config } }),
          );
          const answer = await target.http('GET', 'v2/models/counted/versions/1/stats');
          answers(200)(await target.http('POST', 'v2/repository/models/counted/load'));
          return { ...answer, body: countsOfJson(answer.body) };
        },
        ({ body }) => expect((body as Counts).inferences).toBeGreaterThan(0),
        { because: SINCE_LOADED, holds: answers(200, { inferences: 0 }) },
      ),
      grpc: probe(
        'ModelStatistics',
        async (target) => {
          await asGrpc(target);
          const config = {
            parameterChoice: { case: 'stringParam' as const, value: '{"max_batch_size": 16}' },
          };
          replies()(
            await target.grpc(method.repositoryModelLoad, { modelName: 'counted', parameters: { config } }),
          );
          const answer = await target.grpc(modelStatistics, { name: 'counted', version: '1' });
          replies()(await target.grpc(method.repositoryModelLoad, { modelName: 'counted' }));
          return answer;
        },
        ({ message }) => expect(message?.modelStats[0]?.inferenceCount).toBeGreaterThan(0n),
        { because: SINCE_LOADED, holds: replies({ modelStats: [{ inferenceCount: 0n }] }) },
      ),
    },
    {
      operation: 'Statistics',
      says: 'of all versions of a model',
      http: probe(
        'GET v2/models/{m}/stats',
        (target) => target.http('GET', 'v2/models/iris/stats'),
        answers(200, { model_stats: IRIS }),
      ),
      grpc: probe(
        'ModelStatistics',
        (target) => target.grpc(modelStatistics, { name: 'iris' }),
        replies({ modelStats: IRIS }),
      ),
    },
    {
      operation: 'Statistics',
      says: 'of all models',
      http: probe(
        'GET v2/models/stats',
        (target) => target.http('GET', 'v2/models/stats'),
        answers(200, {
          model_stats: expect.arrayContaining(IRIS.map((one) => expect.objectContaining(one))),
        }),
      ),
      grpc: probe(
        'ModelStatistics',
        (target) => target.grpc(modelStatistics, {}),
        replies({ modelStats: expect.arrayContaining(IRIS.map((one) => expect.objectContaining(one))) }),
      ),
    },
    {
      operation: 'Statistics',
      says: 'an error for a model that is not there',
      http: probe(
        'GET v2/models/{m}/stats',
        (target) => target.http('GET', 'v2/models/nobody/stats'),
        refuses(404, 'Request for unknown model'),
      ),
      grpc: probe(
        'ModelStatistics',
        (target) => target.grpc(modelStatistics, { name: 'nobody' }),
        fails(5, 'Request for unknown model'),
      ),
    },
  ],
};
