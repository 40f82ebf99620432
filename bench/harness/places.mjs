import { fileURLToPath } from 'node:url';

/** The checkout. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** What `npm run bench` makes and keeps: virtual environments, models, bodies. */
export const CACHE = `${ROOT}/bench/.cache`;

/** Where models are: our demos, those that are built here, and those of others. */
export function places() {
  return { root: ROOT, built: `${CACHE}/models`, data: process.env.NIMIFY_DATA ?? `${ROOT}/../shared/data` };
}
