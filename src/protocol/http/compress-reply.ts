import { createDeflate, createGzip } from 'node:zlib';
import { SMALLEST_CLAIM_BYTES } from '../memory-claims.ts';
import type { MemoryRoom } from '../memory-room.ts';
import { type ReplyCoding, replyCodingFor } from './accept-encoding.ts';
import { type Reply, withClaim } from './reply.ts';
import type { RequestHead } from './request-context.ts';

/** Answers shorter than this are sent as they are: compressing them costs more than it saves. */
const COMPRESS_FROM_BYTES = 1024;

/** The answer in the coding that the client likes best, made off the main thread; the answer itself if none. */
export function compressReply(
  request: RequestHead,
  reply: Reply,
  memoryRoom: MemoryRoom,
): Reply | Promise<Reply> {
  if (reply.byteLength < COMPRESS_FROM_BYTES) return reply;
  const coding = replyCodingFor(request.headers['accept-encoding']);
  return coding === 'identity' ? reply : compressed(reply, coding, memoryRoom);
}

async function compressed(
  reply: Reply,
  coding: Exclude<ReplyCoding, 'identity'>,
  memoryRoom: MemoryRoom,
): Promise<Reply> {
  // Level 1: tensors gain little from more, and the client waits.
  const options = { level: 1, chunkSize: Math.min(256 * 1024, Math.max(16 * 1024, reply.byteLength)) };
  const encoder = coding === 'gzip' ? createGzip(options) : createDeflate(options);
  const chunks: Uint8Array[] = [];
  let byteLength = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      encoder.on('error', reject);
      encoder.on('end', resolve);
      encoder.on('data', (chunk: Uint8Array) => {
        chunks.push(chunk);
        byteLength += chunk.length;
      });
      for (const chunk of reply.chunks) encoder.write(chunk);
      encoder.end();
    });
  } finally {
    reply.release?.();
  }
  const headers = { ...reply.headers, 'content-encoding': coding, vary: 'accept-encoding' };
  const smaller: Reply = { status: reply.status, headers, chunks, byteLength };
  return byteLength < SMALLEST_CLAIM_BYTES ? smaller : withClaim(smaller, memoryRoom.hold(byteLength));
}
