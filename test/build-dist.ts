import { build } from '../scripts/setup.mjs';

/** Tests start workers and the command line from dist/. Type errors are for `npm run check` to refuse. */
export function setup(): void {
  build({ tolerant: true });
}
