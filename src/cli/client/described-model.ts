import type { TensorSpec } from '../../model/signature.ts';

/** What a generated client has to know of a model. */
export interface DescribedModel {
  readonly name: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

export interface DescribedServer {
  /** By name. */
  readonly models: readonly DescribedModel[];
  /** Address that the client is to ask where none is given to it. */
  readonly url: string;
}

/** Text from a model within a comment: one line, and nothing in it that ends the comment. */
export function inComment(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').replaceAll('*/', '* /');
}
