import { loadFfi } from './ffi.ts';

/** fcntl(2): the lowest free descriptor that is none of a program started from here. */
const F_DUPFD_CLOEXEC = 1030;

let duplicate: ((descriptor: number) => number | undefined) | undefined;

/** Another descriptor of the same file or socket; undefined where the system has none left, and elsewhere than on Linux. */
export function duplicateDescriptor(descriptor: number): number | undefined {
  duplicate ??= bindDuplicate();
  return duplicate(descriptor);
}

function bindDuplicate(): (descriptor: number) => number | undefined {
  if (process.platform !== 'linux') return NONE;
  try {
    const bound = loadFfi().load('libc.so.6').func('fcntl', 'int', ['int', 'int', '...']);
    return (descriptor) => {
      const other = Number(bound(descriptor, F_DUPFD_CLOEXEC, 'int', 0));
      return other < 0 ? undefined : other;
    };
  } catch {
    return NONE;
  }
}

function NONE(): undefined {
  return undefined;
}
