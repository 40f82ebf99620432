import { expect } from 'vitest';
import { answers, refuses } from '../expectations.ts';
import { probe, type Section } from '../probe.ts';
import { listed } from './extensions.ts';

const TEXT = { text: 'guten Morgen, wie geht es dir heute' };
const ANSWER = { model_name: 'langid', model_version: '1', label: 'de', scores: expect.any(Array) };

export const GENERATE: Section = {
  title: 'Generate',
  source: 'triton-inference-server/server, docs/protocol/extension_generate.md',
  file: 'generate',
  statements: [
    listed('generate', { grpc: false }),
    {
      operation: 'Generate',
      says: 'inputs by name in one object, outputs by name in another',
      http: probe(
        'POST v2/models/{m}/generate',
        (target) => target.http('POST', 'v2/models/langid/generate', TEXT),
        answers(200, ANSWER),
      ),
    },
    {
      operation: 'Generate',
      says: 'the same for a version; other members, and those of `parameters`, are parameters',
      http: probe(
        'POST v2/models/{m}/versions/{v}/generate',
        (target) =>
          target.http('POST', 'v2/models/langid/versions/1/generate', {
            ...TEXT,
            ...{ stream: false, parameters: { temperature: 0 } },
          }),
        answers(200, ANSWER),
      ),
    },
    {
      operation: 'Generate stream',
      says: 'server-sent events, each with such an object',
      http: probe(
        'POST v2/models/{m}/generate_stream',
        (target) => target.http('POST', 'v2/models/langid/generate_stream', TEXT),
        ({ status, headers, text }) => {
          expect(status).toBe(200);
          expect(headers['content-type']).toBe('text/event-stream; charset=utf-8');
          const [event = '', ...rest] = text.split('\n\n');
          expect(rest).toEqual(['']);
          expect(event).toMatch(/^data: /);
          expect(JSON.parse(event.slice('data: '.length))).toMatchObject(ANSWER);
        },
      ),
    },
    {
      operation: 'Generate stream',
      says: 'an error before the inference begins is JSON, with an error status',
      http: probe(
        'POST v2/models/{m}/generate_stream',
        (target) => target.http('POST', 'v2/models/langid/generate_stream', { text: 7 }),
        refuses(400),
      ),
    },
    {
      operation: 'Generate',
      says: 'an error for a model that is not there',
      http: probe(
        'POST v2/models/{m}/generate',
        (target) => target.http('POST', 'v2/models/nobody/generate', TEXT),
        refuses(404, 'Request for unknown model'),
      ),
    },
  ],
};
