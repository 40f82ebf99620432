import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../../base/config/load-config.ts';
import { createFakeClock } from '../../../base/util/fake-clock.ts';
import type { FromServer, Inheritance, ServerEnd } from './messages.ts';
import type { SupervisedPlace } from './supervised-place.ts';
import { type HeldPort, type ServerProcess, superviseServer } from './supervisor.ts';

const CONFIG = { file: 'nimify.yaml' } as Config;
const CRASH = { code: null, signal: 'SIGABRT' } as const;

class FakeServer extends EventEmitter {
  readonly pid = 1;
  readonly got: unknown[] = [];
  readonly place: SupervisedPlace;
  readonly inheritance: Inheritance | undefined;

  constructor(place: SupervisedPlace, inheritance: Inheritance | undefined) {
    super();
    this.place = place;
    this.inheritance = inheritance;
  }

  kill(signal: unknown): boolean {
    this.got.push(signal);
    return true;
  }

  says(message: FromServer, port?: HeldPort): void {
    this.emit('message', message, port);
  }

  ends({ code, signal }: ServerEnd): void {
    this.emit('exit', code, signal);
  }
}

function fakePort(fd: number) {
  return {
    fd,
    isOpen: true,
    close() {
      this.isOpen = false;
    },
  };
}

function setUp() {
  const clock = createFakeClock();
  const servers: FakeServer[] = [];
  const finished: ServerEnd[] = [];
  const given: (readonly number[])[] = [];
  const supervisor = superviseServer({
    clock,
    start(place, ports, inheritance) {
      const server = new FakeServer(place, inheritance);
      servers.push(server);
      given.push(ports.map(({ fd }) => fd));
      return server as unknown as ServerProcess;
    },
    finish: (end) => finished.push(end),
  });
  return { clock, servers, finished, given, supervisor, newest: () => servers.at(-1)! };
}

describe('superviseServer', () => {
  it('starts another where one that served dies, with its ports, its configuration and what was changed', () => {
    const { clock, servers, finished, given, newest } = setUp();
    const [http, grpc] = [fakePort(17), fakePort(19)];
    newest().says({ kind: 'port', flag: '--http-port' }, http);
    newest().says({ kind: 'port', flag: '--grpc-port' }, grpc);
    newest().says({ kind: 'ready', config: CONFIG });
    const change = { topic: 'load', question: { model: 'iris', request: {} } } as const;
    newest().says({ kind: 'changed', change });
    newest().ends(CRASH);
    clock.advance(0);
    expect(servers).toHaveLength(2);
    expect(given[1]).toEqual([17, 19]);
    expect(newest().place).toEqual({ restarts: 1, ports: { '--http-port': 4, '--grpc-port': 5 } });
    expect(newest().inheritance).toEqual({ config: CONFIG, changes: [change], ended: CRASH });
    expect([http.isOpen, grpc.isOpen, finished]).toEqual([true, true, []]);
  });

  it('pauses longer and longer where they die in a row, also before they are ready, and begins anew after a steady one', () => {
    const { clock, servers, newest } = setUp();
    newest().says({ kind: 'ready', config: CONFIG });
    newest().ends(CRASH);
    clock.advance(0);
    expect(servers).toHaveLength(2);
    for (const longestMs of [100, 200, 400]) {
      const before = servers.length;
      newest().ends({ code: 66, signal: null });
      clock.advance(longestMs / 2 - 1);
      expect(servers).toHaveLength(before);
      clock.advance(longestMs / 2 + 1);
      expect(servers).toHaveLength(before + 1);
    }
    newest().says({ kind: 'ready', config: CONFIG });
    clock.advance(30_000);
    newest().ends(CRASH);
    clock.advance(0);
    expect(servers).toHaveLength(6);
  });

  it('ends with the first where it does not come to serve', () => {
    const { servers, finished, newest, clock } = setUp();
    newest().ends({ code: 66, signal: null });
    clock.advance(60_000);
    expect(finished).toEqual([{ code: 66, signal: null }]);
    expect(servers).toHaveLength(1);
  });

  it.each([
    { code: 0, signal: null },
    { code: null, signal: 'SIGTERM' },
  ] as const)('ends with a server that somebody ended by itself: %j', (end) => {
    const { finished, newest, clock, servers } = setUp();
    const http = fakePort(17);
    newest().says({ kind: 'port', flag: '--http-port' }, http);
    newest().says({ kind: 'ready', config: CONFIG });
    newest().ends(end);
    clock.advance(60_000);
    expect([finished, servers.length, http.isOpen]).toEqual([[end], 1, false]);
  });

  it('passes signals on, and ends as the server does after one that ends it', () => {
    const { supervisor, finished, newest } = setUp();
    newest().says({ kind: 'ready', config: CONFIG });
    for (const name of ['SIGHUP', 'SIGTERM', 'SIGTERM'] as const) supervisor.signal(name);
    expect(newest().got).toEqual(['SIGHUP', 'SIGTERM', 'SIGTERM']);
    newest().ends(CRASH);
    expect(finished).toEqual([CRASH]);
  });

  it('ends at once by a signal between two servers', () => {
    const { supervisor, finished, newest, clock, servers } = setUp();
    newest().says({ kind: 'ready', config: CONFIG });
    newest().ends(CRASH);
    supervisor.signal('SIGHUP');
    expect(finished).toEqual([]);
    supervisor.signal('SIGTERM');
    expect(finished).toEqual([{ code: null, signal: 'SIGTERM' }]);
    clock.advance(60_000);
    expect([servers.length, clock.pendingTimers]).toEqual([1, 0]);
  });

  it('lets go of a port that the server closes', () => {
    const { newest, given, clock } = setUp();
    const [http, grpc] = [fakePort(17), fakePort(19)];
    newest().says({ kind: 'port', flag: '--http-port' }, http);
    newest().says({ kind: 'port', flag: '--grpc-port' }, grpc);
    newest().says({ kind: 'ready', config: CONFIG });
    newest().says({ kind: 'shut', flag: '--http-port' });
    expect([http.isOpen, grpc.isOpen]).toEqual([false, true]);
    newest().ends(CRASH);
    clock.advance(0);
    expect([given[1], newest().place.ports]).toEqual([[19], { '--grpc-port': 4 }]);
  });
});
