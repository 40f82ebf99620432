import type { PredictTarget, TargetOptions } from './target.ts';

/** An `http://` or `https://` address is a server; anything else is a path. */
export async function openTarget(target: string, options: TargetOptions): Promise<PredictTarget> {
  if (/^https?:\/\//i.test(target)) {
    const { openServerTarget } = await import('./server-target.ts');
    return openServerTarget(target, options);
  }
  const { openFileTarget } = await import('./file-target.ts');
  return openFileTarget(target, options);
}
