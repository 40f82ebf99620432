/** A model, and perhaps one of its versions, in the path. */
export const MODEL_PATHS = ['/v2/models/:model', '/v2/models/:model/versions/:version'] as const;

export interface ModelParams {
  readonly model: string;
  readonly version?: string;
}
