import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

interface Entry {
  readonly engines?: { readonly node?: string };
  readonly optional?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const path = join(import.meta.dirname, '../../package-lock.json');
const { packages } = JSON.parse(readFileSync(path, 'utf8')) as {
  readonly packages: Readonly<Record<string, Entry>>;
};

it('package-lock.json has the packages of every platform (to add them: node scripts/complete-lock.mjs)', () => {
  const missing = Object.entries(packages).flatMap(([where, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !(`node_modules/${name}` in packages) && !(`${where}/node_modules/${name}` in packages),
    ),
  );
  expect(missing).toEqual([]);
});

it('package-lock.json has only packages that say they run on the oldest Node.js that nimify does', () => {
  const oldest = packages['']?.engines?.node?.replace('>=', '') ?? '';
  const refusing = Object.entries(packages)
    .filter(([, { engines }]) => engines?.node !== undefined && !allows(engines.node, oldest))
    .map(([where, { engines }]) => `${where}: ${engines?.node}`);
  expect(refusing).toEqual([]);
});

/** Whether a range such as `^20.19.0 || >=22.12.0` holds for a version. */
function allows(range: string, version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return range.split('||').some((part) => {
    const [, sign = '', least = '', leastMinor = '0'] = /^(\D*)(\d+)(?:\.(\d+))?/.exec(part.trim()) ?? [];
    const isSame = major === Number(least);
    const isLater = isSame ? minor >= Number(leastMinor) : major > Number(least);
    return part.trim() === '*' || (sign.startsWith('>=') ? isLater : isSame && isLater);
  });
}
