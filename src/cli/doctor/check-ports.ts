import { createServer } from 'node:net';
import type { Config } from '../../base/config/load-config.ts';
import { type Finding, fail, ok } from './finding.ts';

/** Whether the configured ports can be listened on. */
export async function checkPorts({
  host,
  httpPort,
  grpcPort,
  metricsPort,
}: Config['server']): Promise<readonly Finding[]> {
  const ports = [
    { use: 'HTTP', port: httpPort, flag: '--http-port' },
    { use: 'gRPC', port: grpcPort, flag: '--grpc-port' },
    { use: 'metrics', port: metricsPort, flag: '--metrics-port' },
  ];
  const findings: Finding[] = [];
  for (const { use, port, flag } of ports) {
    const problem = port === 0 ? undefined : await tryToListen(host, port);
    const place = `${host} port ${port} (${use})`;
    if (port === 0) findings.push(ok('ports', `a free one is taken for ${use}`));
    else if (problem === undefined) findings.push(ok('ports', `${place} is free`));
    else {
      const { says, mend } = describe(problem, flag);
      findings.push(fail('ports', 'CONFIG_INVALID', `${place} ${says}`, mend));
    }
  }
  return findings;
}

/** The system's code where it does not work. */
function tryToListen(host: string, port: number): Promise<string | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}

function describe(code: string, flag: string): { readonly says: string; readonly mend: string } {
  switch (code) {
    case 'EADDRINUSE':
      return { says: 'is busy', mend: `end what listens there, or pass another ${flag}` };
    case 'EACCES':
      return { says: 'may not be listened on by this user', mend: `pass a ${flag} from 1024 on` };
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return { says: 'is no address of this machine', mend: 'pass another --host' };
    default:
      return { says: `cannot be listened on (${code})`, mend: `pass another --host or ${flag}` };
  }
}
