import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Writes what was measured as JSON: six digits, and of each scheduler one list for each field. */
export function writeResults(file, results) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, toJson({ ...results, scenarios: results.scenarios.map(withColumns) }));
}

/** What `writeResults` wrote, as it was but for the digits. */
export function readResults(file) {
  const results = JSON.parse(readFileSync(file, 'utf8'));
  return { ...results, scenarios: results.scenarios.map(withCells) };
}

/** Lists of numbers or names stand on a line: the files are read by people, too. */
function toJson(value) {
  const text = JSON.stringify(
    value,
    (_key, one) => (typeof one === 'number' && Number.isFinite(one) ? Number(one.toPrecision(6)) : one),
    1,
  );
  return `${text.replaceAll(/\[[^[\]{}]*\]/g, (list) => list.replaceAll(/\s*\n\s*/g, ' '))}\n`;
}

function withColumns({ schedulers, ...scenario }) {
  return { ...scenario, schedulers: mapValues(schedulers, toColumns) };
}

function withCells(scenario) {
  return {
    ...scenario,
    bounds: scenario.bounds.map((bound) => mapValues(bound, toNumber)),
    schedulers: mapValues(scenario.schedulers, toCells),
  };
}

/** One list for each field instead of one object for each load. */
function toColumns(cells) {
  const fields = Object.keys(cells[0] ?? {});
  return Object.fromEntries(fields.map((field) => [field, cells.map((cell) => cell[field])]));
}

function toCells(columns) {
  const { length } = Object.values(columns)[0] ?? [];
  return Array.from({ length }, (_, at) => mapValues(columns, (column) => toNumber(column[at])));
}

/** JSON has null for NaN. */
function toNumber(value) {
  return value === null ? Number.NaN : value;
}

function mapValues(object, change) {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value)]));
}
