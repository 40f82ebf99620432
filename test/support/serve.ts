import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import type { EngineOptions } from '../../src/model/engine.ts';
import { createServer, type RunningServer } from '../../src/server.ts';
import { MODELS } from '../require.ts';

export interface ServedUrl {
  /** Set once the server is ready: read it inside a test, not while tests are being collected. */
  readonly url: string;
  /** Host and port of gRPC. */
  readonly grpcAddress: string;
}

/** Serves models for the tests of the `describe` that it is called in. Paths are below the data folder's models/. */
export function serve(
  models: readonly { readonly path: string; readonly name: string }[],
  engine: Partial<EngineOptions> = {},
): ServedUrl {
  let server: RunningServer | undefined;

  beforeAll(async () => {
    server = await createServer({
      models: models.map(({ path, name }) => ({ path: join(MODELS, path), name })),
      httpPort: 0,
      grpcPort: 0,
      metricsPort: false,
      engine,
    });
  });

  afterAll(async () => {
    await server?.close();
  });

  function running(): RunningServer {
    if (server === undefined) throw new Error('the server is not up');
    return server;
  }

  return {
    get url() {
      return running().url;
    },
    get grpcAddress() {
      return running().grpcAddress ?? '';
    },
  };
}

/** The model of a folder of the data, under the name of the folder. */
export function modelOf(folder: string): { readonly path: string; readonly name: string } {
  return { path: `${folder}/model.onnx`, name: folder };
}
