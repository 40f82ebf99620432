import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createByteSink } from './byte-sink.ts';

it('gives back what was pushed, wherever the chunks end and whatever was expected, aligned as asked', () => {
  const chunk = fc.uint8Array({ maxLength: 3000 });
  fc.assert(
    fc.property(
      fc.array(chunk, { maxLength: 8 }),
      fc.nat(9000),
      fc.nat(5000),
      (chunks, expectedBytes, alignAt) => {
        const sink = createByteSink({ expectedBytes, alignAt });
        for (const one of chunks) sink.push(one);
        const body = sink.take();
        expect(Buffer.from(body).equals(Buffer.concat(chunks))).toBe(true);
        if (body.length > 0) expect((body.byteOffset + alignAt) % 8).toBe(0);
      },
    ),
  );
});

it('never gives out a part of a shared buffer', () => {
  const sink = createByteSink({ expectedBytes: 10 });
  sink.push(Buffer.from('0123456789'));
  const body = sink.take();
  const buffer = body.buffer as ArrayBuffer;
  expect(buffer.byteLength).toBe(10);
  expect(structuredClone(buffer, { transfer: [buffer] }).byteLength).toBe(10);
  expect(body.length).toBe(0);
});
