/**
 * `node bench/soak/float-text.mjs`: writes every FP32 there is, all 2^32 bit patterns, as JSON, by the WebAssembly program
 * and by the writer in JavaScript, and compares the texts; every 64th block is read back, too. Takes some minutes of one
 * core; `--from` and `--to` take part of it, in 4096ths. Ends with 1 where anything differs.
 */
import { parseArgs } from 'node:util';
import { orExplain, setUp } from '../../scripts/setup.mjs';

const { values: flags } = parseArgs({
  options: { from: { type: 'string', default: '0' }, to: { type: 'string', default: '4096' } },
});
const [from, to] = [Number(flags.from), Number(flags.to)];
if (!(0 <= from && from < to && to <= 4096)) throw new Error('--from and --to take numbers from 0 to 4096');

await orExplain(setUp);
const { createManySingles } = await import('../../dist/base/oip/many-singles.js');
const { writeSingles } = await import('../../dist/base/oip/single-text.js');

const PART = 2 ** 20;
const READ_BACK_EACH = 64;
const FAULTS_SHOWN = 20;

const many = createManySingles();
if (many === undefined) throw new Error('WebAssembly cannot be used here');
const { numbers } = many;
const bits = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
const expected = Buffer.alloc(numbers.length * 40);
let faults = 0;
let readBack = 0;

for (let part = from; part < to; part += 1) {
  if (part % 256 === 0) console.log(`from ${hex(part * PART)}: ${faults} faults`);
  for (let at = part * PART; at < (part + 1) * PART; at += bits.length) {
    for (let index = 0; index < bits.length; index += 1) bits[index] = at + index;
    // Without the comma at the end.
    const text = Buffer.from(many.text.buffer, many.text.byteOffset, many.write(bits.length) - 1);
    const end = writeSingles(numbers, 0, numbers.length, expected, 0);
    if (text.compare(expected, 0, end) !== 0) tellDifference(text, expected.subarray(0, end));
    if ((at / bits.length) % READ_BACK_EACH === 0) compareReadBack(text);
  }
}
console.log(`${(to - from) * PART} numbers written by both, ${readBack} of them read back: ${faults} faults`);
process.exitCode = faults === 0 ? 0 : 1;

function tellDifference(text, wanted) {
  const [ours, theirs] = [text, wanted].map((one) => one.toString().split(','));
  for (let index = 0; index < bits.length; index += 1) {
    if (ours[index] !== theirs[index])
      tell(`${hex(bits[index])}: ${ours[index]}, by the other ${theirs[index]}`);
  }
}

/** JSON.parse gives the double that is nearest to the text, and what is not finite is text there. */
function compareReadBack(text) {
  const values = JSON.parse(`[${text}]`);
  for (const [index, value] of values.entries()) {
    const back = typeof value === 'number' ? Math.fround(value) : Number(value);
    if (!Object.is(back, numbers[index])) tell(`${hex(bits[index])}: reads as ${value}`);
  }
  readBack += values.length;
}

function tell(fault) {
  faults += 1;
  if (faults <= FAULTS_SHOWN) console.log(fault);
}

function hex(pattern) {
  return `0x${pattern.toString(16).padStart(8, '0')}`;
}
