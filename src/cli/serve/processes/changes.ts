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
  const breakers = new Map<string, Change>();

  /** What was opened or closed by hand stays so; one that was reset is as it would be anew. */
  function keepBreaker(question: QuestionOf<'changeBreaker'>): void {
    const key = JSON.stringify([question.model, question.version]);
    if (question.action === 'reset') breakers.delete(key);
    else breakers.set(key, { topic: 'changeBreaker', question });
  }

  return {
    keep({ topic, question }) {
      if (topic === 'changeBreaker') {
        keepBreaker(question as QuestionOf<'changeBreaker'>);
        return;
      }
      if (topic !== 'logSettings') {
        kept.set((question as QuestionOf<'load'>).model, { topic, question });
        return;
      }
      const all = { ...kept.get('')?.question, ...(question as LogChanges) };
      // No model has this name.
      kept.set('', { topic, question: all });
    },
    // A breaker is there when its model is.
    all: () => [...kept.values(), ...breakers.values()],
  };
}
