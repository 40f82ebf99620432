import type { PortFlag } from '../../../protocol/listen.ts';

/** The place of a server that is watched over. */
export interface SupervisedPlace {
  /** How many there were before it. */
  readonly restarts: number;
  /** File descriptors of ports that those have opened. */
  readonly ports: Readonly<Partial<Record<PortFlag, number>>>;
}

const VARIABLE = 'NIMIFY_SUPERVISED';

export function environmentOf(place: SupervisedPlace): Readonly<Record<string, string>> {
  return { [VARIABLE]: JSON.stringify(place) };
}

/** Undefined in a process that nobody watches over. */
export function supervisedPlace(): SupervisedPlace | undefined {
  const text = process.env[VARIABLE];
  // What is started from here has another place.
  delete process.env[VARIABLE];
  return text === undefined || process.send === undefined ? undefined : (JSON.parse(text) as SupervisedPlace);
}
