/** What a process that serves and the one that started it say to each other, over Node's own channel. */
export type FromServing =
  | { readonly kind: 'ready' }
  | { readonly kind: 'metrics'; readonly id: number; readonly text: string };

export interface ToServing {
  readonly kind: 'metrics';
  readonly id: number;
}

/** The place of a serving process among others. */
export interface ProcessPlace {
  /** From 0. */
  readonly index: number;
  readonly processes: number;
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

/** Tells that models are loaded, and from then on what is counted here, whenever that is asked for. */
export function answerParent(renderMetrics: () => string): void {
  const tell = (message: FromServing) => process.send?.(message);
  process.on('message', ({ kind, id }: ToServing) => {
    if (kind === 'metrics') tell({ kind, id, text: renderMetrics() });
  });
  tell({ kind: 'ready' });
}
