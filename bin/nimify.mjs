#!/usr/bin/env node
/**
 * The command. In a checkout it first makes sure that dist/ is there and fresh, so that `npx nimify` works right
 * after `git clone`; in the published package there is nothing to set up. Started by itself, it leaves libuv's pool as it is:
 * links that npx made before there was nimify.cjs point here.
 */
import { existsSync } from 'node:fs';

const setup = new URL('../scripts/setup.mjs', import.meta.url);
if (existsSync(setup)) {
  const { orExplain, setUp } = await import(setup.href);
  await orExplain(setUp);
}
await import(new URL('../dist/cli/main.js', import.meta.url).href);
