import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** Where this user's programs keep what they can do without, and in it nimify's own folder; it may not be there yet. */
export function userCacheFolder(
  env: Readonly<Record<string, string | undefined>> = process.env,
  platform: NodeJS.Platform = process.platform,
  home: string = homedir(),
): string {
  // The XDG Base Directory Specification: a path that is not absolute is to be ignored.
  const { XDG_CACHE_HOME: wished = '', LOCALAPPDATA: local = '' } = env;
  if (isAbsolute(wished)) return join(wished, 'nimify');
  switch (platform) {
    case 'darwin':
      return join(home, 'Library', 'Caches', 'nimify');
    case 'win32':
      return join(local === '' ? join(home, 'AppData', 'Local') : local, 'nimify', 'Cache');
    default:
      return join(home, '.cache', 'nimify');
  }
}
