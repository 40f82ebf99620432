import type { ChildProcess, SendHandle } from 'node:child_process';
import type { Clock, Timer } from '../../../base/util/clock.ts';
import type { PortFlag } from '../../../protocol/listen.ts';
import type { QuestionOf, Topic } from '../../../protocol/peers.ts';
import type { Candidate } from './balance.ts';
import type { FromServing, Result, ToServing } from './messages.ts';
import type { NativeConnection } from './native-handle.ts';

/** One of the processes that serve, as the one that started it sees it. */
export interface ServingProcess extends Candidate {
  /** From 0; one that takes another's place has its number. */
  readonly index: number;
  /** Models are loaded, and in the state of the others. */
  isReady: boolean;
  /** What it counted when it was last asked. */
  lastMetrics: string;
  give(flag: PortFlag, connection: NativeConnection): void;
  /** Connections that it was given and has not got, and will not. */
  takeBack(): readonly (readonly [PortFlag, NativeConnection])[];
  send(message: ToServing): void;
  /**
   * Undefined: it has ended, or does not answer.
   * @param limitMs undefined: however long it takes
   */
  ask<T extends Topic>(
    topic: T,
    question: QuestionOf<T>,
    limitMs: number | undefined,
  ): Promise<Result | undefined>;
  /** To be called with all that it says. */
  hear(message: FromServing): void;
  /** To be called when it has ended. */
  ended(): void;
}

let given = 0;
let lastId = 0;

export function createServingProcess(index: number, child: ChildProcess, clock: Clock): ServingProcess {
  const asked = new Map<number, (result: Result | undefined) => void>();
  const underWay = new Map<NativeConnection, PortFlag>();
  let openConnections = 0;
  let lastGiven = 0;

  function send(message: ToServing, onSent?: (failed: Error | null) => void, handle?: SendHandle): void {
    // One that ends while it is spoken to: 'exit' follows, and says all there is to know.
    child.send(message, handle, {}, onSent ?? (() => {}));
  }

  return {
    index,
    isReady: false,
    lastMetrics: '',
    get openConnections() {
      return openConnections;
    },
    get lastGiven() {
      return lastGiven;
    },
    give(flag, connection) {
      openConnections += 1;
      given += 1;
      lastGiven = given;
      underWay.set(connection, flag);
      send(
        { kind: 'connection', flag },
        (failed) => {
          // Until 'exit' it may be given to nobody else.
          if (failed === null && underWay.delete(connection)) connection.close();
        },
        connection as unknown as SendHandle,
      );
    },
    takeBack() {
      const back = Array.from(underWay, ([connection, flag]) => [flag, connection] as const);
      underWay.clear();
      return back;
    },
    send,
    ask(topic, question, limitMs) {
      lastId += 1;
      const id = lastId;
      return new Promise((resolve) => {
        let timer: Timer | undefined;
        function settle(result: Result | undefined): void {
          timer?.cancel();
          asked.delete(id);
          resolve(result);
        }
        asked.set(id, settle);
        if (limitMs !== undefined) timer = clock.setTimer(() => settle(undefined), limitMs);
        send({ kind: 'question', id, topic, question });
      });
    },
    hear(message) {
      if (message.kind === 'closed') openConnections -= message.count;
      else if (message.kind === 'answer') asked.get(message.id)?.(message.result);
    },
    ended() {
      for (const settle of [...asked.values()]) settle(undefined);
    },
  };
}
