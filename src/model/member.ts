import type { Model } from './contract.ts';

/** One of several Models that answer the same: an instance of a model, or a replica of a server. */
export interface Member {
  /** Which of them it is, for metrics and events, such as `0`. */
  readonly name: string;
  readonly model: Model;
  /** Would it run a request now, instead of having it wait? */
  readonly hasRoom: boolean;
  /** The one listener that hears when there is room again. */
  onRoom(listener: () => void): void;
}

/** A Model over members that can be told to ask another one than it has asked already. */
export interface MembersModel extends Model {
  /**
   * Asks a member that has room and does not have this request; undefined: there is none, and nothing has happened.
   * @throws NimifyError as `infer`
   */
  inferElsewhere(...asked: Parameters<Model['infer']>): ReturnType<Model['infer']> | undefined;
}
