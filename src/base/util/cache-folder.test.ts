import { expect, it } from 'vitest';
import { userCacheFolder } from './cache-folder.ts';

it.each<[Record<string, string>, NodeJS.Platform, string]>([
  [{}, 'linux', '/home/me/.cache/nimify'],
  [{ XDG_CACHE_HOME: '/fast/cache' }, 'linux', '/fast/cache/nimify'],
  [{ XDG_CACHE_HOME: 'not/absolute' }, 'linux', '/home/me/.cache/nimify'],
  [{ XDG_CACHE_HOME: '' }, 'freebsd', '/home/me/.cache/nimify'],
  [{}, 'darwin', '/home/me/Library/Caches/nimify'],
  [{ LOCALAPPDATA: '/local' }, 'win32', '/local/nimify/Cache'],
  [{}, 'win32', '/home/me/AppData/Local/nimify/Cache'],
])('with %j on %s it is %s', (env, platform, folder) => {
  expect(userCacheFolder(env, platform, '/home/me')).toBe(folder);
});
