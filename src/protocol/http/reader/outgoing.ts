import type { Socket } from 'node:net';
import type { Reply } from '../reply.ts';
import { type WriteOptions, writeReply } from './write-reply.ts';

/** Answers on their way out of one connection. */
export interface Outgoing {
  /** Answers from here on leave together, until `flush`. */
  gather(): void;
  flush(): void;
  /**
   * Writes the answer; its buffers are released when the system has taken them, or nobody is there to.
   * @param onHanded called when all of it has been handed to the socket, where that is not so on return
   * @returns all of it has been handed to the socket
   */
  write(reply: Reply, options: WriteOptions, onHanded: () => void): boolean;
  /** Releases what the system will not take any more. For when the socket is closed. */
  settle(): void;
}

export function createOutgoing(socket: Socket): Outgoing {
  let isGathering = false;
  /** Gives back the buffers of answers that the system has not taken yet. */
  const unsettled = new Set<() => void>();

  function settling({ release }: Reply): () => void {
    if (release === undefined) return NOTHING;
    const settle = () => {
      if (unsettled.delete(settle)) release();
    };
    unsettled.add(settle);
    return settle;
  }

  return {
    gather() {
      if (isGathering) return;
      isGathering = true;
      socket.cork();
    },
    flush() {
      if (!isGathering) return;
      isGathering = false;
      socket.uncork();
    },
    write: (reply, options, onHanded) => writeReply(socket, reply, options, settling(reply), onHanded),
    settle() {
      for (const settle of unsettled) settle();
    },
  };
}

function NOTHING(): void {}
