import type { FastifyInstance } from 'fastify';
import { invalidInput } from '../../../base/errors/nimify-error.ts';
import type { LoadRequest } from '../../../registry/live/contract.ts';
import type { HttpDeps } from '../deps.ts';
import { type ParameterValues, readParameters, readSettings } from './control-body.ts';

interface ControlParams {
  readonly model: string;
}

const MODEL = '/v2/repository/models/:model';
const FILE = 'file:';

/** The index of the repository, and its models coming and going by request. */
export function registerRepository(app: FastifyInstance, deps: HttpDeps): void {
  const { control } = deps;
  app.post('/v2/repository/index', async (request) => {
    const settings = await readSettings(request.raw, deps);
    return control.index({ readyOnly: flagOf(settings, 'ready', 'ready') });
  });
  app.post<{ Params: ControlParams }>(`${MODEL}/load`, async (request, reply) => {
    const asked = toLoadRequest(await readParameters(request.raw, deps));
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

/** `config`, a configuration in JSON, and `file:<path>`, a file within the model's folder in base64. */
function toLoadRequest(parameters: ParameterValues): LoadRequest {
  const files = new Map<string, Uint8Array>();
  let config: string | undefined;
  for (const [name, value] of parameters) {
    const where = `parameters.${name.slice(0, 64)}`;
    const isFile = name.startsWith(FILE);
    if (!isFile && name !== 'config') {
      throw invalidInput(`${where}: expected config or file:<path>, got another parameter; leave it out`, {
        where,
        expected: ['config', 'file:<path>'],
      });
    }
    if (typeof value !== 'string') {
      const expected = isFile ? 'the bytes of a file in base64' : 'a model configuration as JSON in a string';
      throw invalidInput(`${where}: expected ${expected}, got ${value}`, { where, expected, got: value });
    }
    if (isFile) files.set(name.slice(FILE.length), fromBase64(value, where));
    else config = value;
  }
  return { ...(config === undefined ? {} : { config }), ...(files.size === 0 ? {} : { files }) };
}

/** Node passes over what is no base64: whatever is lost that way shows in the length. */
function fromBase64(text: string, where: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64');
  const digits = text.endsWith('==') ? text.length - 2 : text.endsWith('=') ? text.length - 1 : text.length;
  if (bytes.length === Math.floor((digits * 3) / 4) && digits % 4 !== 1) return bytes;
  throw invalidInput(`${where}: expected the bytes of a file in base64, got other text`, {
    where,
    expected: 'base64',
  });
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
