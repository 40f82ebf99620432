import type { FastifyInstance } from 'fastify';
import { invalidInput } from '../../../base/errors/nimify-error.ts';
import { misfit, toLoadRequest } from '../../load-request.ts';
import type { HttpDeps } from '../deps.ts';
import { type ParameterValues, readParameters, readSettings } from './control-body.ts';

interface ControlParams {
  readonly model: string;
}

const MODEL = '/v2/repository/models/:model';

/** The index of the repository, and its models coming and going by request. */
export function registerRepository(app: FastifyInstance, deps: HttpDeps): void {
  const { control } = deps.cluster;
  app.post('/v2/repository/index', async (request) => {
    const settings = await readSettings(request.raw, deps);
    return control.index({ readyOnly: flagOf(settings, 'ready', 'ready') });
  });
  app.post<{ Params: ControlParams }>(`${MODEL}/load`, async (request, reply) => {
    const asked = toLoadRequest(await readParameters(request.raw, deps), readFile);
    await control.load(request.params.model, asked);
    return reply.code(200).send();
  });
  app.post<{ Params: ControlParams }>(`${MODEL}/unload`, async (request, reply) => {
    const parameters = await readParameters(request.raw, deps);
    const unloadDependents = flagOf(parameters, 'unload_dependents', 'parameters.unload_dependents');
    await control.unload(request.params.model, { unloadDependents });
    return reply.code(200).send();
  });
}

const BASE64 = 'the bytes of a file in base64';

/** Node passes over what is no base64: whatever is lost that way shows in the length. */
function readFile(value: string | number | boolean, where: string): Uint8Array {
  if (typeof value !== 'string') throw misfit(where, BASE64, String(value));
  const bytes = Buffer.from(value, 'base64');
  const digits = value.endsWith('==')
    ? value.length - 2
    : value.endsWith('=')
      ? value.length - 1
      : value.length;
  if (bytes.length === Math.floor((digits * 3) / 4) && digits % 4 !== 1) return bytes;
  throw misfit(where, BASE64, 'other text');
}

function flagOf(values: ParameterValues, name: string, where: string): boolean {
  const value = values.get(name) ?? false;
  if (typeof value === 'boolean') return value;
  throw invalidInput(`${where}: expected true or false, got ${JSON.stringify(value).slice(0, 64)}`, {
    where,
    expected: 'boolean',
    got: value,
  });
}
