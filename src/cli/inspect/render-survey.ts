import { describeShape } from '../../model/fit-shape.ts';
import type { TensorSpec } from '../../model/signature.ts';
import type { PlanEntry, Verdict } from '../../registry/triton/plan.ts';
import type { SurveyedVersion } from '../../registry/triton/survey.ts';
import { printable } from '../printable.ts';
import type { Style } from '../style.ts';

const VERDICTS: readonly Verdict[] = ['refused', 'ignored', 'honoured'];

/** What would become of a model repository, for people: a block for each version of each model. */
export function renderSurvey(surveyed: readonly SurveyedVersion[], style: Style): string {
  const served = surveyed.filter(({ error }) => error === undefined).length;
  const blocks = surveyed.map((one) => renderVersion(one, style).join('\n'));
  return `${[...blocks, `${served} of ${surveyed.length} would be served`].join('\n\n')}\n`;
}

function renderVersion(
  { model, version, path, plan, signature, error }: SurveyedVersion,
  style: Style,
): readonly string[] {
  const title = version === undefined ? model : `${model} version ${version}`;
  const entries = VERDICTS.flatMap((verdict) =>
    (plan?.entries ?? []).filter((entry) => entry.verdict === verdict),
  );
  const width = Math.max(0, ...entries.map(({ field }) => field.length));
  return [
    style.bold(printable(title)),
    ...(path === undefined ? [] : [`  ${printable(path)}`]),
    ...(plan === undefined && error === undefined
      ? ['  no config.pbtxt: everything is taken from the file']
      : []),
    ...(signature?.inputs ?? []).map((spec) => `  takes  ${tensorText(spec)}`),
    ...(signature?.outputs ?? []).map((spec) => `  gives  ${tensorText(spec)}`),
    ...entries.map((entry) => entryLine(entry, width, style)),
    error === undefined
      ? `  ${style.bold('would be served')}`
      : `  ${style.red('UNAVAILABLE')}: ${printable(error.message)}`,
  ];
}

function tensorText(spec: TensorSpec): string {
  return `${printable(spec.name)} ${spec.datatype} ${describeShape(spec)}`;
}

function entryLine({ field, verdict, says, at }: PlanEntry, width: number, style: Style): string {
  const paint = { refused: style.red, ignored: style.yellow, honoured: style.dim }[verdict];
  const place = at === undefined ? '' : ` (line ${at.line})`;
  return `  ${paint(verdict.padEnd(8))}  ${printable(field).padEnd(width)}  ${printable(says)}${place}`;
}
