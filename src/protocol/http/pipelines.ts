import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Requests of one connection that are worked on, and those that wait for one of them to be answered. */
interface Pipeline {
  running: number;
  readonly waiting: (readonly [IncomingMessage, ServerResponse])[];
}

/**
 * Bounds how many pipelined requests (RFC 9112, 9.3.2) of a connection are worked on at once. Node hands over
 * all that stand in one read; their answers would all be made, and be kept until the client takes the first.
 *
 * @returns for a request that arrives before the last one on its connection is answered
 */
export function createPipelines(serve: RequestListener, mostAtOnce: number): RequestListener {
  const pipelines = new WeakMap<Socket, Pipeline>();

  function run(pipeline: Pipeline, request: IncomingMessage, response: ServerResponse): void {
    pipeline.running += 1;
    response.once('close', () => {
      pipeline.running -= 1;
      const next = pipeline.waiting.shift();
      if (next !== undefined) run(pipeline, ...next);
    });
    serve(request, response);
  }

  return (request, response) => {
    let pipeline = pipelines.get(request.socket);
    if (pipeline === undefined) {
      pipeline = { running: 0, waiting: [] };
      pipelines.set(request.socket, pipeline);
    }
    if (pipeline.running < mostAtOnce) run(pipeline, request, response);
    else pipeline.waiting.push([request, response]);
  };
}
