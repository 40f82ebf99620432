/** The place of a serving process among others. */
export interface ProcessPlace {
  /** It says to people what is served. */
  readonly isSpeaker: boolean;
  /** Where the metrics of all are. */
  readonly metricsUrl: string;
}

const VARIABLE = 'NIMIFY_PROCESS';

export function environmentOf(place: ProcessPlace): Readonly<Record<string, string>> {
  return { [VARIABLE]: JSON.stringify(place) };
}

/** Undefined in a process that was started by people. */
export function placeOfProcess(): ProcessPlace | undefined {
  const text = process.env[VARIABLE];
  // What is started from here is not one of them.
  delete process.env[VARIABLE];
  return text === undefined || process.send === undefined ? undefined : (JSON.parse(text) as ProcessPlace);
}
