/**
 * Fakes for tests of whatever wraps or calls a Model: no engine, no files, no real time.
 * @packageDocumentation
 */
export { createFakeClock, type FakeClock } from './base/util/fake-clock.ts';
export {
  createFakeEngine,
  createFakeEngineInstance,
  type FakeEngineInstance,
} from './model/fake-engine.ts';
export { createFakeModel, type FakeModel, type FakeModelOptions } from './model/fake-model.ts';
