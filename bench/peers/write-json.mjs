/**
 * nimify's writer of FP32 numbers as JSON, again and again. Prints the CPU time of a text, after it was read back and
 * compared.
 *
 *   NUMBERS=file.f32 [SECONDS=1] node write-json.mjs
 */
import { readFileSync } from 'node:fs';
import { createJsonWriter } from '../../dist/base/oip/json-writer.js';
import { writeTensorJson } from '../../dist/base/oip/tensor-json.js';

const WARM_RUNS = 20;
const forMs = Number(process.env.SECONDS ?? 1) * 1000;
const { buffer } = Uint8Array.from(readFileSync(process.env.NUMBERS));
const data = new Float32Array(buffer);
const tensor = { name: 'y', datatype: 'FP32', shape: [data.length], data };
const writer = createJsonWriter();

function write() {
  writeTensorJson(tensor, writer, 'flat');
  return writer.take();
}

const text = Buffer.from(write());
const back = Float32Array.from(JSON.parse(text.toString()));
if (!back.every((value, at) => Object.is(value, data[at]))) throw new Error('other numbers came back');
for (let run = 0; run < WARM_RUNS; run += 1) write();
let runs = 0;
const before = process.cpuUsage();
for (const from = performance.now(); performance.now() - from < forMs; runs += 1) write();
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ cpuUs: (user + system) / runs, textBytes: text.length }));
