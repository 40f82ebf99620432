/** Where a value comes from. */
export type Origin =
  | { readonly from: 'default' }
  | { readonly from: 'file'; readonly file: string; readonly line: number }
  | { readonly from: 'env'; readonly name: string }
  | { readonly from: 'flag'; readonly name: string }
  /** A path on the command line. */
  | { readonly from: 'argument' };

export const BY_DEFAULT: Origin = { from: 'default' };

/** Such as `file nimify.yaml:12`, `env NIMIFY_HTTP_PORT`, `flag --http-port`, `command line` or `default`. */
export function originText(origin: Origin): string {
  switch (origin.from) {
    case 'default':
      return 'default';
    case 'file':
      return `file ${origin.file}:${origin.line}`;
    case 'env':
      return `env ${origin.name}`;
    case 'flag':
      return `flag ${origin.name}`;
    case 'argument':
      return 'command line';
  }
}
