export interface Machine {
  readonly cores: number;
  /** Memory that this process may use. */
  readonly memoryBytes: number;
}

export interface ThreadPlan {
  /** Sessions side by side, each with the model's weights of its own. */
  readonly instances: number;
  /** Threads inside one run. */
  readonly intraOpThreads: number;
  /** Set where a wish was not met, in words. */
  readonly note?: string;
}

/**
 * How many sessions of how many threads: their product never exceeds the cores, since more only makes them wait
 * for each other. By default one session a core with one thread each, which gives the highest throughput and the
 * steadiest times; fewer sessions with more threads where their weights would fill over a quarter of the memory.
 * A wish for either number is met as far as the cores go, and the other number takes the rest.
 */
export function planThreads(
  { cores, memoryBytes }: Machine,
  wishes: { readonly instances?: number; readonly intraOpThreads?: number; readonly modelBytes: number },
): ThreadPlan {
  const affordable = Math.max(1, Math.floor(memoryBytes / 4 / Math.max(1, wishes.modelBytes)));
  const threads = wishes.intraOpThreads === undefined ? undefined : clamp(wishes.intraOpThreads, cores);
  const room = Math.floor(cores / (threads ?? 1));
  const instances = clamp(wishes.instances ?? Math.min(room, affordable), room);
  const plan = { instances, intraOpThreads: threads ?? Math.floor(cores / instances) };

  const wished = [wishes.instances ?? plan.instances, wishes.intraOpThreads ?? plan.intraOpThreads] as const;
  if (wished[0] === plan.instances && wished[1] === plan.intraOpThreads) return plan;
  const note =
    `${wished[0]} instances of ${wished[1]} threads were asked for; ${cores} cores allow ` +
    `${plan.instances} of ${plan.intraOpThreads}`;
  return { ...plan, note };
}

function clamp(wish: number, most: number): number {
  return Math.max(1, Math.min(Math.floor(wish), most));
}
