import type { GrpcAnswer, HttpAnswer, Target } from './target.ts';

/** What a protocol's document says of one operation, and how each transport is asked whether it holds. */
export interface Statement {
  /** As the document calls it. */
  readonly operation: string;
  readonly says: string;
  readonly http?: Probe;
  readonly grpc?: Probe;
}

/** The statements of one document. */
export interface Section {
  readonly title: string;
  /** Repository and path of the document. */
  readonly source: string;
  /** Name of this section's file in cases/, without its ending. */
  readonly file: string;
  readonly statements: readonly Statement[];
}

export type Verdict =
  | { readonly kind: 'conforms' }
  | { readonly kind: 'differs' | 'not offered'; readonly because: string };

export interface Probe {
  /** What is called, such as `GET v2/health/live`. */
  readonly call: string;
  /** Rejects where the answer is neither what the document says nor what is declared to be different. */
  judge(target: Target): Promise<Verdict>;
}

/** Where nimify answers otherwise on purpose, and how. */
interface Difference<A> {
  readonly kind?: 'differs' | 'not offered';
  readonly because: string;
  /** Throws where the answer is not the one that is meant. */
  readonly holds: (answer: A) => void;
}

/**
 * A question to a server that runs, and the answer that the document asks for.
 *
 * @param holds throws where the answer is another one
 * @param differs a verdict against the document must be declared, unless the server itself says that it does not offer
 * what was asked for; and one that is declared must be true
 */
export function probe<A extends HttpAnswer | GrpcAnswer>(
  call: string,
  ask: (target: Target) => Promise<A>,
  holds: (answer: A) => void,
  differs?: Difference<A>,
): Probe {
  return {
    call,
    async judge(target) {
      const answer = await ask(target);
      let failure: unknown;
      try {
        holds(answer);
      } catch (failed) {
        failure = failed;
      }
      if (failure === undefined) {
        if (differs === undefined) return { kind: 'conforms' };
        throw new Error(`'${call}' is declared to differ, and conforms`);
      }
      const refusal = reasonOfUnsupported(answer);
      if (refusal !== undefined) return { kind: 'not offered', because: target.withoutPaths(refusal) };
      if (differs === undefined) throw failure;
      differs.holds(answer);
      return { kind: differs.kind ?? 'differs', because: differs.because };
    },
  };
}

const UNIMPLEMENTED = 12;

/** What the server says why it does not offer what was asked for. */
function reasonOfUnsupported(answer: HttpAnswer | GrpcAnswer): string | undefined {
  if ('code' in answer) return answer.code === UNIMPLEMENTED ? answer.details : undefined;
  return answer.status === 501 ? String((answer.body as { error?: unknown }).error) : undefined;
}
