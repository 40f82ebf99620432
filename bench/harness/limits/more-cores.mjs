/**
 * Loaded before a server on Node: has it plan for CORES, as many as it may run at once, on a machine of fewer. What
 * memory that takes is the same.
 */

import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';

os.availableParallelism = () => Number(process.env.CORES);
syncBuiltinESMExports();
