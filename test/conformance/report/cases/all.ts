import type { Section } from '../probe.ts';
import { BINARY_DATA } from './binary-data.ts';
import { CLASSIFICATION } from './classification.ts';
import { CONFIGURATION } from './configuration.ts';
import { DATATYPES } from './datatypes.ts';
import { GENERATE } from './generate.ts';
import { HEALTH } from './health.ts';
import { INFERENCE } from './inference.ts';
import { LOGGING } from './logging.ts';
import { SHARED_MEMORY, TRACE } from './not-offered.ts';
import { REPOSITORY } from './repository.ts';
import { PARAMETERS, SCHEDULE_POLICY, SEQUENCE } from './scheduling.ts';
import { STATISTICS } from './statistics.ts';
import { TRANSPORT } from './transport.ts';

/** In the order of the page. */
export const SECTIONS: readonly Section[] = [
  ...[
    HEALTH,
    INFERENCE,
    DATATYPES,
    BINARY_DATA,
    CLASSIFICATION,
    CONFIGURATION,
    REPOSITORY,
    STATISTICS,
    LOGGING,
  ],
  ...[GENERATE, SCHEDULE_POLICY, PARAMETERS, SEQUENCE, SHARED_MEMORY, TRACE, TRANSPORT],
];
