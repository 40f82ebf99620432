/**
 * Loaded before everything else in a server that is looked at (`node --require`): writes the names of what its event loop
 * holds into the file CHAOS_RESOURCES_FILE. Processes of models and the one that watches leave it alone.
 */
const { renameSync, writeFileSync } = require('node:fs');
const { isMainThread } = require('node:worker_threads');

const EVERY_MS = 250;
const file = process.env.CHAOS_RESOURCES_FILE;

if (isMainThread && process.argv.includes('serve') && process.env.NIMIFY_SUPERVISED !== undefined) {
  setInterval(() => {
    // Renamed, so that nobody reads half of it.
    writeFileSync(`${file}.next`, JSON.stringify(process.getActiveResourcesInfo()));
    renameSync(`${file}.next`, file);
  }, EVERY_MS).unref();
}
