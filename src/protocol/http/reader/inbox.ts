import { BORROWED, createOwner } from '../../../base/tensor/owner.ts';
import type { OwnedBody } from '../infer-call.ts';
import { type InferHead, type KnownHead, takeHead } from './head.ts';
import { type BodyMemory, createIncomingBody, type IncomingBody } from './incoming-body.ts';
import { liesIn } from './own-copies.ts';

/** What came on a connection, as far as nobody has taken it yet: bytes on one side, whole requests on the other. */
export interface Inbox<Work> {
  /** Where the next bytes are to be put. */
  place(): Uint8Array;
  /** `size` bytes were put at the start of `into`, which was a `place`. */
  put(size: number, into: Uint8Array): void;
  /** A chunk came that is the inbox's to keep. */
  push(chunk: Buffer): void;
  /** The next request, or why there is none. */
  take(): Arrived<Work> | Absent;
  /** Bytes that no request was made of yet, but for those of a body that is coming. */
  readonly held: Buffer | undefined;
  /** The beginning of a head is held, and waits for the rest. */
  readonly hasHalfHead: boolean;
  /** Why there is no room for the body that is coming: a NimifyError, or what the system said. */
  readonly refusal: unknown;
  /** The request whose body is still coming. */
  readonly arriving: Work | undefined;
  /** To be called after each read, when what can be done with the bytes has been done. */
  keepHeld(): void;
  /** Gives up the request whose body is still coming; nothing may read into its memory any more. */
  breakOff(): void;
  /** Heads and bodies like the last ones are no longer expected. */
  forget(): void;
  /** Gives memory back; only when nothing reads into it any more. */
  close(): void;
}

export interface Arrived<Work> {
  readonly work: Work;
  readonly body: OwnedBody;
  /** The bytes of the request and of what came behind it, where it came in one piece with others. */
  readonly together: Buffer | undefined;
  /** It was in one piece: nobody has asked for room for it. */
  readonly isWhole: boolean;
}

/** `more`: nothing is whole yet; `foreign`: what is held is no plain inference; `no room`: for the arriving body. */
export type Absent = 'more' | 'foreign' | 'no room';

export interface InboxOptions<Work> {
  readonly memory: BodyMemory;
  /** What all connections read into but for large bodies: what is left in it is copied before the next read. */
  readonly readBuffer: Buffer;
  /** Called with each head. Undefined: not here. */
  readonly open: (head: InferHead) => Work | undefined;
  /** The body of `work` is not all there yet. */
  readonly onWait: (work: Work) => void;
}

export function createInbox<Work>({ memory, readBuffer, open, onWait }: InboxOptions<Work>): Inbox<Work> {
  let held: Buffer | undefined;
  let hasHalfHead = false;
  let known: KnownHead | undefined;
  let coming: { readonly work: Work; readonly body: IncomingBody } | undefined;
  let refusal: unknown;

  function push(chunk: Buffer): void {
    const rest = coming === undefined ? chunk : pushBody(coming.body, chunk);
    if (rest !== undefined) held = held === undefined ? rest : Buffer.concat([held, rest]);
  }

  /** @returns what belongs to the next request */
  function pushBody(body: IncomingBody, chunk: Buffer): Buffer | undefined {
    try {
      const taken = body.push(chunk);
      return taken === chunk.length ? undefined : chunk.subarray(taken);
    } catch (refused) {
      refusal = refused;
      return undefined;
    }
  }

  function takeComing(work: Work, body: IncomingBody): Arrived<Work> | Absent {
    if (refusal !== undefined) return 'no room';
    if (!body.isWhole) return 'more';
    coming = undefined;
    return { work, body: body.take(), together: undefined, isWhole: false };
  }

  function takeHeld(bytes: Buffer): Arrived<Work> | Absent {
    const taken = takeHead(bytes, known);
    hasHalfHead = taken === 'more';
    if (taken === 'more') return 'more';
    const work = taken === undefined ? undefined : open(taken.head);
    if (taken === undefined || work === undefined) return 'foreign';
    known = taken;
    const bodyAt = taken.bytes.length;
    const { bodyBytes, headerLength } = taken.head;
    const rest = bytes.length - bodyAt - bodyBytes;
    held = rest > 0 ? bytes.subarray(bodyAt + bodyBytes) : undefined;
    if (rest >= 0) {
      const together = rest > 0 ? bytes : undefined;
      return { work, body: bodyIn(bytes, bodyAt, bodyBytes), together, isWhole: true };
    }
    const body = createIncomingBody(bodyBytes, headerLength ?? 0, memory);
    coming = { work, body };
    onWait(work);
    if (bytes.length > bodyAt) pushBody(body, bytes.subarray(bodyAt));
    return takeComing(work, body);
  }

  /** A view: the whole request came in one piece. */
  function bodyIn(bytes: Buffer, bodyAt: number, bodyBytes: number): OwnedBody {
    const view = new Uint8Array(bytes.buffer, bytes.byteOffset + bodyAt, bodyBytes);
    // Nobody may transfer a buffer in which another request lies as well, or will.
    const isOurs = held === undefined && !liesIn(bytes, readBuffer);
    return { bytes: view, owner: isOurs ? createOwner() : BORROWED };
  }

  return {
    place: () => coming?.body.room() ?? readBuffer,
    put(size, into) {
      if (coming !== undefined && !liesIn(into, readBuffer)) coming.body.advance(size);
      else push(readBuffer.subarray(0, size));
    },
    push,
    take() {
      if (coming !== undefined) return takeComing(coming.work, coming.body);
      return held === undefined ? 'more' : takeHeld(held);
    },
    get held() {
      return held;
    },
    get hasHalfHead() {
      return hasHalfHead;
    },
    get refusal() {
      return refusal;
    },
    get arriving() {
      return coming?.work;
    },
    keepHeld() {
      if (held !== undefined && liesIn(held, readBuffer)) held = Buffer.from(held);
    },
    breakOff() {
      coming?.body.drop();
      coming = undefined;
    },
    forget() {
      known = undefined;
    },
    close() {
      coming?.body.drop();
    },
  };
}
