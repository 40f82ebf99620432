import type { Logger } from '../base/telemetry/log.ts';

/**
 * Names that Triton gives to the extensions which work here on every protocol; what a protocol has beside them it
 * lists itself. Not among them, since only a part of each is there: `sequence` and `parameters` (both are read, and
 * no model is told of them).
 */
export function extensionsOf(log: Logger): readonly string[] {
  const hasSettings = log.level !== undefined;
  return [
    'classification',
    ...(hasSettings ? ['logging'] : []),
    'model_configuration',
    'model_repository',
    'schedule_policy',
    'statistics',
  ];
}

/** Why shared memory is refused. */
export const NO_SHARED_MEMORY =
  'tensors in shared memory are not offered, since a client could name memory of this machine; send the elements in the request';

/** Why trace settings are refused. */
export const NO_TRACES = 'traces are not written, so there is nothing to set';
