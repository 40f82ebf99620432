/** Lets answers out in the order in which they were asked for. */
export interface InOrder {
  readonly isEmpty: boolean;
  /** Settles as `answer` does, and not before all that were followed earlier. */
  follow<Answer>(answer: Promise<Answer>): Promise<Answer>;
}

export function createInOrder(): InOrder {
  let before: Promise<unknown> = Promise.resolve();
  let pending = 0;
  return {
    get isEmpty() {
      return pending === 0;
    },
    follow(answer) {
      pending += 1;
      const whenSettled = answer.then(ignore, ignore);
      const released = before.then(() => answer);
      before = before
        .then(() => whenSettled)
        .then(() => {
          pending -= 1;
        });
      return released;
    },
  };
}

function ignore(): void {}
