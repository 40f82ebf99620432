import { appendFile, mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { EventReport } from '../../base/telemetry/events.ts';
import type { Logger } from '../../base/telemetry/log.ts';

/** What could not be delivered, a line of JSON each. */
export interface DeadLetters {
  write(line: object): void;
  /** Resolves when all is written. Never rejects. */
  close(): Promise<void>;
}

export interface DeadLettersDeps {
  readonly log: Logger;
  readonly report: (event: EventReport) => void;
}

const MOST_BYTES = 16 * 1024 * 1024;
/** No space, or none that may be used; ENOSPC and EDQUOT of POSIX. */
const IS_FULL: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT']);

/** Only its owner may read the file: it tells what the server does. */
export function createDeadLetters(path: string, { log, report }: DeadLettersDeps): DeadLetters {
  let last: Promise<void> = Promise.resolve();
  let isFull = false;
  let hasFailed = false;

  async function append(text: string): Promise<void> {
    try {
      await mkdir(dirname(path), { recursive: true });
      const sizeBytes = await stat(path).then(
        ({ size }) => size,
        () => 0,
      );
      if (sizeBytes + text.length > MOST_BYTES) {
        return fail(`the file has ${MOST_BYTES} bytes, which is the most`);
      }
      await appendFile(path, text, { mode: 0o600 });
      hasFailed = false;
      if (isFull) report({ type: 'disk-recovered', part: path, message: `${path} can be written again` });
      isFull = false;
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      fail(String(code ?? 'the system refused'));
      if (isFull || !IS_FULL.has(code)) return;
      isFull = true;
      report({
        type: 'disk-full',
        part: path,
        message: `${path} could not be written (${code})`,
        done: 'what it was to hold is lost; requests go on',
      });
    }
  }

  /** Once for all that fails in a row. */
  function fail(reason: string): void {
    if (!hasFailed) log.error({ path, reason }, 'a dead letter could not be kept');
    hasFailed = true;
  }

  return {
    write(line) {
      const text = `${JSON.stringify(line)}\n`;
      last = last.then(() => append(text));
    },
    close: () => last,
  };
}
