/**
 * Loaded into a server on Node with --import: records from one SIGUSR2 to the next, and writes the profile to the
 * file that NIMIFY_BENCH_PROFILE names; its ending says what is recorded, `.cpuprofile` or `.heapprofile`.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';

export const SAMPLE_EVERY_US = 150;
const SAMPLE_EVERY_BYTES = 16 * 1024;

const file = process.env.NIMIFY_BENCH_PROFILE;
if (file !== undefined) recordOnSignal(file.endsWith('.cpuprofile') ? ofTime() : ofAllocations());

function ofTime() {
  return {
    prepare: [['Profiler.enable'], ['Profiler.setSamplingInterval', { interval: SAMPLE_EVERY_US }]],
    start: ['Profiler.start'],
    stop: ['Profiler.stop'],
  };
}

/** Of everything, also of what was collected meanwhile. */
function ofAllocations() {
  const how = {
    samplingInterval: SAMPLE_EVERY_BYTES,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  };
  return { prepare: [], start: ['HeapProfiler.startSampling', how], stop: ['HeapProfiler.stopSampling'] };
}

function recordOnSignal({ prepare, start, stop }) {
  const session = new Session();
  session.connect();
  for (const command of prepare) session.post(...command);
  let recording = false;
  process.on('SIGUSR2', () => {
    recording = !recording;
    if (recording) session.post(...start);
    else {
      session.post(...stop, (error, result) => {
        if (error) throw error;
        // Whoever waits for the file finds all of it.
        writeFileSync(`${file}.part`, JSON.stringify(result.profile));
        renameSync(`${file}.part`, file);
      });
    }
  });
}
