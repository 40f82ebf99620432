#!/usr/bin/env node
/**
 * The command. What has to be set before any module is loaded comes first. In the published package there is nothing to
 * set up, and Node's loader of modules is not needed.
 */
require('./thread-pool.cjs');
const { existsSync } = require('node:fs');
const { join } = require('node:path');

if (existsSync(join(__dirname, '../scripts/setup.mjs'))) import('./nimify.mjs');
else require('../dist/cli/launch.cjs');
