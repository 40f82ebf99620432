import { expect } from 'vitest';
import { GRPCInferenceService } from '../../../../src/protocol/grpc/generated/inference/service_pb.ts';
import { answers, replies } from '../expectations.ts';
import { probe, type Statement } from '../probe.ts';
import type { GrpcAnswer, HttpAnswer } from '../target.ts';

/** The server's metadata lists an extension by its name; where it must not, that is what is meant by `missing`. */
export function listed(
  name: string,
  options: { readonly http?: boolean; readonly grpc?: boolean; readonly missing?: string } = {},
): Statement {
  const { http = true, grpc = true, missing } = options;
  const extensions = expect.arrayContaining([name]);
  function absent<A extends HttpAnswer | GrpcAnswer>(found: (answer: A) => void) {
    if (missing === undefined) return undefined;
    return {
      kind: 'not offered' as const,
      because: missing,
      holds: (answer: A) => expect(() => found(answer)).toThrow(),
    };
  }
  const overHttp = answers(200, { extensions });
  const overGrpc = replies({ extensions });
  return {
    operation: 'Server metadata',
    says: `lists \`${name}\``,
    ...(http && { http: probe('GET v2', (target) => target.http('GET', 'v2'), overHttp, absent(overHttp)) }),
    ...(grpc && {
      grpc: probe(
        'ServerMetadata',
        (target) => target.grpc(GRPCInferenceService.method.serverMetadata, {}),
        overGrpc,
        absent(overGrpc),
      ),
    }),
  };
}
