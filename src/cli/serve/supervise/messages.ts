import type { Config } from '../../../base/config/load-config.ts';
import type { PortFlag } from '../../../protocol/listen.ts';
import type { Change } from '../processes/changes.ts';

/** What a server tells the process that watches over it, over Node's own channel. */
export type FromServer =
  /** The listening socket comes beside it, to be held open for whoever comes next. */
  | { readonly kind: 'port'; readonly flag: PortFlag }
  /** Nobody is to listen there any more. */
  | { readonly kind: 'shut'; readonly flag: PortFlag }
  /** It serves, with this configuration: from now on it is worth another. */
  | { readonly kind: 'ready'; readonly config: Config }
  /** A request has changed this. */
  | { readonly kind: 'changed'; readonly change: Change };

/** What the next server needs to be as the one before. */
export interface Inheritance {
  /** As it was: a file may have changed since. */
  readonly config: Config;
  readonly changes: readonly Change[];
  readonly ended: ServerEnd;
}

export interface ServerEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}
