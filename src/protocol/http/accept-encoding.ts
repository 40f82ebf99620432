export type ReplyCoding = 'identity' | 'gzip' | 'deflate';

/** In the order in which they are taken where the client likes them equally. */
const OFFERED: readonly ReplyCoding[] = ['gzip', 'deflate', 'identity'];

/**
 * The content coding for an answer, by the quality values of `accept-encoding` (RFC 9110, 12.5.3). Without the
 * header, or where nothing fits, the answer goes out as it is.
 */
export function replyCodingFor(header: string | string[] | undefined): ReplyCoding {
  if (header === undefined || header === '') return 'identity';
  const weights = weightsOf(String(header));
  let best: ReplyCoding = 'identity';
  let bestWeight = 0;
  for (const coding of OFFERED) {
    const weight = weightFor(coding, weights);
    if (weight > bestWeight) {
      best = coding;
      bestWeight = weight;
    }
  }
  return best;
}

function weightFor(coding: ReplyCoding, weights: ReadonlyMap<string, number>): number {
  const named = weights.get(coding) ?? (coding === 'gzip' ? weights.get('x-gzip') : undefined);
  if (named !== undefined) return named;
  // Not named, identity is acceptable, but any coding that the client did name is liked better.
  if (coding === 'identity') return weights.get('*') === 0 ? 0 : Number.MIN_VALUE;
  return weights.get('*') ?? 0;
}

function weightsOf(header: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const part of header.split(',')) {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    if (name !== '') weights.set(name, qualityOf(parameters));
  }
  return weights;
}

function qualityOf(parameters: readonly string[]): number {
  for (const parameter of parameters) {
    if (!parameter.startsWith('q=')) continue;
    const quality = Number(parameter.slice(2));
    return quality >= 0 && quality <= 1 ? quality : 0;
  }
  return 1;
}
