/** The header of HTTP, and the metadata of gRPC, that says who answered instead of the model. */
export const FALLBACK_HEADER = 'x-nimify-fallback';

/** A rung's name as a header takes it: names of models may hold any character. */
export function fallbackText(name: string): string {
  return /^[!-~]+$/.test(name) ? name : encodeURIComponent(name);
}
