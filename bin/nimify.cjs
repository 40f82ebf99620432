#!/usr/bin/env node
/**
 * The command. What has to be set before any module is loaded comes first. In the published package there is nothing to
 * set up, and Node's loader of modules is not needed.
 */
const { existsSync } = require('node:fs');
const { join } = require('node:path');

/** A server is started from there, as this very file again in a process of its own. In a fresh checkout it is not built yet. */
const supervisor = join(__dirname, '../dist/cli/serve/supervise/supervisor-entry.cjs');
const isSupervised =
  process.argv[2] === 'serve' && existsSync(supervisor) && require(supervisor).supervise(__filename);
if (!isSupervised) {
  require('./thread-pool.cjs');
  if (existsSync(join(__dirname, '../scripts/setup.mjs'))) import('./nimify.mjs');
  else require('../dist/cli/launch.cjs');
}
