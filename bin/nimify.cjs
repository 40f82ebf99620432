#!/usr/bin/env node
/** The command. What has to be set before any module is loaded comes first. */
require('./thread-pool.cjs');
import('./nimify.mjs');
