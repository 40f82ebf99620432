import type { LogChanges, QuestionOf, Topic } from '../../../protocol/peers.ts';

export interface Change {
  readonly topic: Topic;
  readonly question: QuestionOf<Topic>;
}

/** What requests have changed in a process, to be told to those that come after it. */
export interface Changes {
  keep(change: Change): void;
  /** In the order in which they are to be made. */
  all(): readonly Change[];
}

/** Of a model the last counts: what came before is of no account any more. Log settings add up. */
export function createChanges(): Changes {
  const kept = new Map<string, Change>();
  return {
    keep({ topic, question }) {
      if (topic !== 'logSettings') {
        kept.set((question as QuestionOf<'load'>).model, { topic, question });
        return;
      }
      const all = { ...kept.get('')?.question, ...(question as LogChanges) };
      // No model has this name.
      kept.set('', { topic, question: all });
    },
    all: () => [...kept.values()],
  };
}
