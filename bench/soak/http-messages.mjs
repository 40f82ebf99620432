import { ARRAYS, bytesOf } from './subjects.mjs';

/** An inference as HTTP/1.1 bytes, with tensors as JSON or behind it. */
export function encodeHttp({ number, model, inputs, parameters, isBinary, expected }) {
  const tails = [];
  const told = inputs.map(({ name, datatype, shape, data }) => {
    if (!isBinary) return { name, datatype, shape, data: Array.from(data, Number) };
    tails.push(bytesOf(data));
    return { name, datatype, shape, parameters: { binary_data_size: data.byteLength } };
  });
  const outputs = expected.map(({ name }) => ({ name, parameters: { binary_data: isBinary } }));
  const json = Buffer.from(JSON.stringify({ id: String(number), parameters, inputs: told, outputs }));
  const length = tails.reduce((sum, { byteLength }) => sum + byteLength, json.length);
  const head = [
    `POST /v2/models/${model}/infer HTTP/1.1`,
    'host: 127.0.0.1',
    `content-type: application/${isBinary ? 'octet-stream' : 'json'}`,
    `content-length: ${length}`,
    ...(isBinary ? [`inference-header-content-length: ${json.length}`] : []),
    '\r\n',
  ].join('\r\n');
  return Buffer.concat([Buffer.from(head), json, ...tails]);
}

/** What a status and a body say, as the ledger takes it. */
export function decodeHttp({ status, headers, body }) {
  const headerLength = Number(headers['inference-header-content-length'] ?? body.length);
  const json = JSON.parse(body.toString('utf8', 0, headerLength));
  if (status !== 200) return { code: json.code ?? `status ${status}` };
  let at = headerLength;
  const outputs = json.outputs.map(({ name, datatype, data, parameters }) => {
    const size = parameters?.binary_data_size;
    if (size === undefined) return { name, bytes: bytesOf(toArray(datatype, data)) };
    at += size;
    return { name, bytes: body.subarray(at - size, at) };
  });
  return { answer: { id: json.id, outputs } };
}

function toArray(datatype, data) {
  return ARRAYS[datatype].from(data, datatype === 'INT64' ? BigInt : Number);
}

const HEAD_END = Buffer.from('\r\n\r\n');

/** Reads HTTP/1.1 answers whole, one after another. @throws on what is not HTTP */
export function createAnswerBuffer(onAnswer) {
  let held = Buffer.alloc(0);

  function takeOne() {
    const end = held.indexOf(HEAD_END);
    if (end < 0) return false;
    const [first, ...lines] = held.toString('latin1', 0, end).split('\r\n');
    if (!/^HTTP\/1\.1 \d{3} /.test(first)) throw new Error(`not HTTP: ${first.slice(0, 80)}`);
    const headers = Object.fromEntries(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const from = end + HEAD_END.length;
    const body =
      headers['transfer-encoding'] === 'chunked' ? readChunks(held, from) : readLength(held, from, headers);
    if (body === undefined) return false;
    held = held.subarray(body.end);
    onAnswer({ status: Number(first.slice(9, 12)), headers, body: body.bytes });
    return true;
  }

  return function take(bytes) {
    held = held.length === 0 ? Buffer.from(bytes) : Buffer.concat([held, bytes]);
    while (takeOne());
    return held.length;
  };
}

function readLength(held, from, headers) {
  const end = from + sizeOf(headers['content-length'] ?? '0', 10);
  return held.length < end ? undefined : { bytes: held.subarray(from, end), end };
}

/** @throws where it is none: what comes may be damaged */
function sizeOf(text, radix) {
  const size = Number.parseInt(text, radix);
  if (!(size >= 0)) throw new Error(`not a size: ${text.slice(0, 80)}`);
  return size;
}

function readChunks(held, from) {
  const chunks = [];
  for (let at = from; ; ) {
    const lineEnd = held.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = sizeOf(held.toString('latin1', at, lineEnd), 16);
    const end = lineEnd + 2 + size + 2;
    if (held.length < end) return undefined;
    if (size === 0) return { bytes: Buffer.concat(chunks), end };
    chunks.push(held.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = end;
  }
}
