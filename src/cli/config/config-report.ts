import type { Config } from '../../base/config/load-config.ts';
import { type Objective, objectiveText } from '../../base/config/objective.ts';
import { leavesOf, type OptionTree } from '../../base/config/option.ts';
import { MODEL_OPTIONS, SERVER_OPTIONS } from '../../base/config/options.ts';
import { BY_DEFAULT, type Origin, originText } from '../../base/config/origin.ts';
import { printable } from '../printable.ts';
import type { Style } from '../style.ts';

export interface ReportedValue {
  /** Null: not set, and no fixed default. */
  readonly value: unknown;
  readonly origin: Origin;
}

export interface ConfigReport {
  readonly file: string | null;
  /** By path, such as `server.httpPort` or `defaults.timeoutMs`. */
  readonly settings: Readonly<Record<string, ReportedValue>>;
  readonly models: readonly {
    readonly path: string;
    readonly name: string | null;
    readonly origin: Origin;
    readonly settings: Readonly<Record<string, ReportedValue>>;
  }[];
  readonly warnings: readonly string[];
}

/** A configuration with the origin beside each value. */
export function toConfigReport(config: Config): ConfigReport {
  const { file, defaults, models, origins, warnings } = config;

  function report(tree: OptionTree, values: object, root: string, shownRoot = root) {
    const entries = leavesOf(tree).map(({ path, keys }) => [
      `${shownRoot}${path}`,
      { value: at(values, keys) ?? null, origin: origins[`${root}${path}`] ?? BY_DEFAULT },
    ]);
    return Object.fromEntries(entries) as Record<string, ReportedValue>;
  }

  return {
    file: file ?? null,
    settings: {
      ...report(SERVER_OPTIONS, config, ''),
      ...report(MODEL_OPTIONS, defaults, 'defaults.'),
    },
    models: models.map(({ path, name, settings }, index) => ({
      path,
      name: name ?? null,
      origin: origins[`models[${index}]`] ?? BY_DEFAULT,
      settings: report(MODEL_OPTIONS, settings, `models[${index}].`, ''),
    })),
    warnings,
  };
}

/** Path, value and origin in columns; of a model only what is not as `defaults` has it. */
export function renderConfig({ file, settings, models, warnings }: ConfigReport, style: Style): string {
  const rows = [...Object.entries(settings).map(([path, reported]) => rowOf(path, reported))];
  for (const [index, model] of models.entries()) {
    const where = `models[${index}]`;
    const shown = model.name === null ? model.path : `${model.path} as ${model.name}`;
    rows.push([where, printable(shown), originText(model.origin)]);
    for (const [path, reported] of Object.entries(model.settings)) {
      const usual = settings[`defaults.${path}`];
      const isUsual = usual !== undefined && originText(usual.origin) === originText(reported.origin);
      if (!isUsual) rows.push(rowOf(`${where}.${path}`, reported));
    }
  }
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map(([path, value, origin]) => {
    const from = origin === 'default' ? style.dim(origin) : origin;
    return `${path.padEnd(widths[0]!)}  ${value.padEnd(widths[1]!)}  ${from}\n`;
  });
  const head = file === null ? 'no configuration file' : `configuration file: ${printable(file)}`;
  const told = warnings.map((warning) => `${style.yellow('warning:')} ${printable(warning)}\n`);
  return `${style.dim(head)}\n${lines.join('')}${told.join('')}`;
}

function rowOf(path: string, { value, origin }: ReportedValue): readonly [string, string, string] {
  return [path, printable(toText(path, value)), originText(origin)];
}

function toText(path: string, value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value ?? '-');
  return path.endsWith('.objective') ? objectiveText(value as Objective) : JSON.stringify(value);
}

function at(values: object, keys: readonly string[]): unknown {
  return keys.reduce<unknown>((group, key) => (group as Record<string, unknown>)[key], values);
}
