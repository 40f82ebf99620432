import { expect } from 'vitest';
import { GRPCInferenceService } from '../../../../src/protocol/grpc/generated/inference/service_pb.ts';
import { answers, fails, refuses, replies } from '../expectations.ts';
import { probe, type Section } from '../probe.ts';
import { listed } from './extensions.ts';

const { logSettings } = GRPCInferenceService.method;

const text = (value: string) => ({ parameterChoice: { case: 'stringParam' as const, value } });
const flag = (value: boolean) => ({ parameterChoice: { case: 'boolParam' as const, value } });
const number = (value: number) => ({ parameterChoice: { case: 'uint32Param' as const, value } });

export const LOGGING: Section = {
  title: 'Logging',
  source: 'triton-inference-server/server, docs/protocol/extension_logging.md',
  file: 'logging',
  statements: [
    listed('logging'),
    {
      operation: 'Log settings',
      says: 'all settings, under the names that Triton answers with',
      http: probe(
        'GET v2/logging',
        (target) => target.http('GET', 'v2/logging'),
        answers(200, {
          ...{ log_file: '', log_info: true, log_warning: true, log_error: true },
          ...{ log_verbose_level: 0, log_format: expect.stringMatching(/^(default|ISO8601)$/) },
        }),
      ),
      grpc: probe(
        'LogSettings',
        (target) => target.grpc(logSettings, {}),
        replies({
          settings: {
            ...{ log_file: text(''), log_info: flag(true), log_warning: flag(true), log_error: flag(true) },
            log_verbose_level: number(0),
          },
        }),
      ),
    },
    {
      operation: 'Log settings',
      says: 'those that are sent change, the others stay; all of them are the answer',
      http: probe(
        'POST v2/logging',
        async (target) => {
          const answer = await target.http('POST', 'v2/logging', { log_verbose_level: 1 });
          answers(200, { log_verbose_level: 0 })(
            await target.http('POST', 'v2/logging', { log_verbose_level: 0 }),
          );
          return answer;
        },
        answers(200, { log_verbose_level: 1, log_info: true, log_error: true }),
      ),
      grpc: probe(
        'LogSettings',
        async (target) => {
          const answer = await target.grpc(logSettings, { settings: { log_verbose_level: number(1) } });
          replies()(await target.grpc(logSettings, { settings: { log_verbose_level: number(0) } }));
          return answer;
        },
        replies({ settings: { log_verbose_level: number(1), log_info: flag(true) } }),
      ),
    },
    {
      operation: 'Log settings',
      says: '`log_file` names the file to write to',
      http: probe(
        'POST v2/logging',
        (target) => target.http('POST', 'v2/logging', { log_file: 'triton.log' }),
        answers(200),
      ),
      grpc: probe(
        'LogSettings',
        (target) => target.grpc(logSettings, { settings: { log_file: text('triton.log') } }),
        replies(),
      ),
    },
    {
      operation: 'Log settings',
      says: '`log_format` may be `default` or `ISO8601`',
      http: probe(
        'POST v2/logging',
        (target) => target.http('POST', 'v2/logging', { log_format: 'default' }),
        answers(200),
      ),
      grpc: probe(
        'LogSettings',
        (target) => target.grpc(logSettings, { settings: { log_format: text('default') } }),
        replies(),
      ),
    },
    {
      operation: 'Log settings',
      says: 'an error for a setting that is not known, or of another type',
      http: probe(
        'POST v2/logging',
        async (target) => {
          refuses(400, 'loud')(await target.http('POST', 'v2/logging', { loud: true }));
          return target.http('POST', 'v2/logging', { log_info: 1 });
        },
        refuses(400, 'log_info'),
      ),
      grpc: probe(
        'LogSettings',
        async (target) => {
          fails(3, 'loud')(await target.grpc(logSettings, { settings: { loud: flag(true) } }));
          return target.grpc(logSettings, { settings: { log_info: number(1) } });
        },
        fails(3, 'log_info'),
      ),
    },
  ],
};
