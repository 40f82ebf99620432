import type { Datatype } from '../../base/tensor/datatype.ts';
import { describeShape } from '../../model/fit-shape.ts';
import type { TensorSpec } from '../../model/signature.ts';
import { type DescribedModel, type DescribedServer, inComment } from './described-model.ts';
import { toIdentifiers, toTypeNames } from './identifiers.ts';
import { headline, insertModels } from './insert-models.ts';

/** The client's own methods. */
const METHODS = ['ready', 'close'];
/** What a method speaks of besides its inputs, and the class of its answer. */
const PARAMETERS = ['self', 'options'];

/** A client in one file that needs `requests`. */
export async function renderPython({ models, url }: DescribedServer): Promise<string> {
  const names = models.map(({ name }) => name);
  const methods = toIdentifiers(names, METHODS);
  const types = toTypeNames(names).map((type) => `${type}Outputs`);
  const text = [
    `_DEFAULT_URL = ${literal(url)}`,
    '',
    '',
    ...models.flatMap((model, index) => outputsOf(model, types[index] as string)),
    'class Client(_Client):',
    '    """Asks the models of a server. Every method raises InferenceError."""',
    '',
    ...models.flatMap((model, index) => methodOf(model, methods[index] as string, types[index] as string)),
    '',
    '#: Inputs and outputs of each model by their own names.',
    '_MODELS: Dict[str, Tuple[Tuple[Tuple[str, str], ...], Tuple[str, ...]]] = {',
    ...models.map(({ name, inputs, outputs }) => {
      const taken = tuple(inputs.map((one) => `(${literal(one.name)}, "${one.datatype}")`));
      const given = tuple(outputs.map((one) => literal(one.name)));
      return `    ${literal(name)}: (${taken}, ${given}),`;
    }),
    '}',
    '',
  ];
  return `# ${headline()}\n${await insertModels('python.py', '#', text.join('\n'))}`;
}

function outputsOf({ name, outputs }: DescribedModel, type: string): readonly string[] {
  const fields = toIdentifiers(outputs.map((spec) => spec.name));
  return [
    '@dataclass(frozen=True)',
    `class ${type}:`,
    `    """What the model ${quoted(name)} answers."""`,
    ...outputs.flatMap((spec, index) => [
      '',
      `    #: ${describe(spec, fields[index])}`,
      `    ${fields[index]}: Tensor`,
    ]),
    '',
    '',
  ];
}

function methodOf(
  { name, inputs, outputs }: DescribedModel,
  method: string,
  type: string,
): readonly string[] {
  const parameters = toIdentifiers(
    inputs.map((spec) => spec.name),
    [...PARAMETERS, type],
  );
  const fields = toIdentifiers(outputs.map((spec) => spec.name));
  const declared = inputs.map(({ datatype }, index) => `${parameters[index]}: ${elementsOf(datatype)}`);
  return [
    `    def ${method}(self, *, ${[...declared, 'options: Optional[Options] = None'].join(', ')}) -> ${type}:`,
    `        """Asks the model ${quoted(name)}.`,
    '',
    ...inputs.map(
      (spec, index) => `        ${parameters[index]}: ${inDocstring(describe(spec, parameters[index]))}`,
    ),
    '',
    `        Answers ${outputs.map((spec, index) => `${fields[index]}: ${inDocstring(describe(spec, fields[index]))}`).join('; ')}.`,
    '        """',
    `        return self._ask(${type}, ${literal(name)}, ${tuple(parameters)}, options)`,
    '',
  ];
}

/** `FP32 [N,4]`, with the tensor's own name where the identifier is another. */
function describe(spec: TensorSpec, identifier: string | undefined): string {
  const facts = `${spec.datatype} ${inComment(describeShape(spec))}`;
  return identifier === spec.name ? facts : `${facts}, ${inComment(JSON.stringify(spec.name))}`;
}

function elementsOf(datatype: Datatype): string {
  if (datatype === 'BYTES') return 'Texts';
  if (datatype === 'BOOL') return 'Booleans';
  return datatype.includes('INT') ? 'Integers' : 'Floats';
}

function tuple(items: readonly string[]): string {
  return items.length === 1 ? `(${items[0]},)` : `(${items.join(', ')})`;
}

/** A string as it stands in source text: Python reads all of JSON's escapes. */
function literal(text: string): string {
  return JSON.stringify(text);
}

/** A name within a docstring. */
function quoted(name: string): string {
  return inDocstring(`'${inComment(name)}'`);
}

/** Text within a docstring. */
function inDocstring(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
}
