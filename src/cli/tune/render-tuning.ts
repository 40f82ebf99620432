import { resolve } from 'node:path';
import { objectiveText } from '../../base/config/objective.ts';
import type { Load, Point, Setting } from '../../control/tuning/contract.ts';
import { batchingText, planText } from '../../control/tuning/plans.ts';
import type { Tuning } from '../../control/tuning/tune-model.ts';
import { describeSize } from '../inspect/blocks.ts';
import { printable } from '../printable.ts';
import { toModelPath } from '../serve/model-argument.ts';
import { shellQuote } from '../shell-quote.ts';
import type { Style } from '../style.ts';
import type { TuneTask } from './task.ts';
import type { WrittenChoice } from './write-choice.ts';

/** The frontier as a table, the choice, and what became of it, for people. */
export function renderTuning(
  task: TuneTask,
  tuning: Tuning,
  written: WrittenChoice | undefined,
  style: Style,
): string {
  const { machine, target, objective } = task;
  const aim = objective === undefined ? 'no objective' : objectiveText(objective);
  const cores = machine.cores === 1 ? '1 core' : `${machine.cores} cores`;
  return [
    `${style.bold(titleOf(task))}: ${cores}, ${aim}, for ${target}`,
    '',
    ...frontierTable(task, tuning, style),
    '',
    ...verdict(task, tuning),
    ...notes(tuning).map((note) => style.dim(note)),
    ...writtenLines(task, written),
    '',
  ].join('\n');
}

/** The same for machines. */
export function tuningFacts({ model, path, machine, objective, target }: TuneTask, tuning: Tuning): object {
  const { frontier, chosen, verified, unbatchable, leftOut, closest } = tuning;
  return {
    model: path,
    name: model.found.name,
    version: model.found.version,
    cores: machine.cores,
    objective: objective === undefined ? null : objectiveText(objective),
    target,
    chosen:
      chosen === undefined ? null : { ...chosen.setting, latencyMs: chosen.latencyMs, best: chosen.best },
    verified,
    closest: chosen === undefined ? (closest ?? null) : null,
    frontier,
    unbatchable: unbatchable ?? null,
    leftOut,
  };
}

function frontierTable(
  { objective }: TuneTask,
  { frontier, chosen }: Tuning,
  style: Style,
): readonly string[] {
  const percentile = objective?.percentile ?? 99;
  const heads = ['', 'runs on', 'batching', 'clients', 'answers/s', 'p50', `p${percentile}`, 'memory'];
  const shown =
    chosen === undefined || frontier.includes(chosen.best) ? frontier : [...frontier, chosen.best];
  const rows = [...shown]
    .sort((a, b) => a.throughputPerS - b.throughputPerS)
    .map((point) => [point === chosen?.best ? '*' : '', ...cellsOf(point)]);
  const widths = heads.map((head, at) => Math.max(head.length, ...rows.map((row) => row[at]!.length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => (at < FIRST_NUMBER ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)))
      .join('  ')
      .trimEnd();
  return [style.bold(line(heads)), ...rows.map(line)];
}

/** Columns from here on hold numbers. */
const FIRST_NUMBER = 3;

function cellsOf({ setting, load, throughputPerS, latencyMs, memoryBytes }: Point): readonly string[] {
  return [
    planText(setting.plan),
    batchingText(setting.batching),
    load.kind === 'closed' ? String(load.clients) : '',
    perSecondText(throughputPerS),
    msText(latencyMs.p50),
    msText(latencyMs.asked),
    describeSize(memoryBytes),
  ];
}

function verdict(task: TuneTask, { chosen, verified, closest }: Tuning): readonly string[] {
  if (chosen !== undefined) {
    return [`chosen (*): ${settingText(chosen.setting)}`, ...verified.map((point) => checkLine(task, point))];
  }
  const aim = task.objective === undefined ? 'the objective' : objectiveText(task.objective);
  const best =
    closest === undefined
      ? 'nothing was answered'
      : `the closest is ${msText(closest.latencyMs.asked)} with ${settingText(closest.setting)}, for ${loadText(closest.load)}`;
  return [
    `no setting keeps to ${aim} on this machine: ${best}`,
    ...verified.map((point) => checkLine(task, point)),
    'ask for more time, or take a machine with more or faster cores, or a smaller model; nothing was written',
  ];
}

function checkLine({ objective }: TuneTask, { load, latencyMs, refused, answers }: Point): string {
  const percentile = objective?.percentile ?? 99;
  const share = (100 * refused) / Math.max(1, answers + refused);
  const turned =
    refused === 0 ? 'none refused' : `${share < 10 ? share.toPrecision(2) : Math.round(share)} % refused`;
  return `with ${loadText(load)}: p50 ${msText(latencyMs.p50)}, p${percentile} ${msText(latencyMs.asked)}, ${turned}`;
}

function notes({ unbatchable, isCut, leftOut }: Tuning): readonly string[] {
  return [
    ...(unbatchable === undefined ? [] : [`batches were not tried: ${printable(unbatchable)}`]),
    ...(isCut ? ['the time was over before every setting had been tried; --budget gives more'] : []),
    ...leftOut.map(({ plan, reason }) => `left out: ${planText(plan)} (${printable(reason)})`),
  ];
}

function writtenLines(task: TuneTask, written: WrittenChoice | undefined): readonly string[] {
  if (written === undefined) return [];
  const { file, wasListed } = written;
  const added = wasListed
    ? ''
    : '; it lists the model now, and models that it does not list are not served with it';
  const { config } = task.model.found;
  return [
    `wrote ${printable(file)} for ${titleOf(task)}${added}`,
    ...(config === undefined ? [] : [`it goes before ${printable(config.source)}, which stays as it is`]),
    `next: nimify serve --config ${shellQuote(file)}`,
  ];
}

/** The path, and which model of it where it is a folder. */
function titleOf({ path, model: { found } }: TuneTask): string {
  const { name, version, folder } = found;
  const which = folder === undefined ? '' : `, version ${version}`;
  const isFile = found.program !== undefined || resolve(found.path) === resolve(toModelPath(path).path);
  return isFile ? printable(path) : printable(`${path}: ${name}${which}`);
}

function settingText({ plan, batching }: Setting): string {
  return `${planText(plan)}${plan.host === 'inline' ? ' thread' : ' threads'}; batching ${batchingText(batching)}`;
}

function loadText(load: Load): string {
  if (load.kind === 'open') return `${perSecondText(load.perSecond)} requests/s by chance`;
  return load.clients === 1 ? 'one client' : `${load.clients} clients`;
}

function perSecondText(perSecond: number): string {
  return perSecond >= 100 ? String(Math.round(perSecond)) : perSecond.toPrecision(3);
}

function msText(ms: number): string {
  if (!Number.isFinite(ms)) return 'never';
  return ms >= 100 ? `${Math.round(ms)} ms` : `${ms.toPrecision(3)} ms`;
}
