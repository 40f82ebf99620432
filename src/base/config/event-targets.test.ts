import { describe, expect, it } from 'vitest';
import { HTTP_URL, WEBHOOKS } from './event-targets.ts';

describe('addresses of those who are told of events', () => {
  it('speak HTTP', () => {
    expect(HTTP_URL.fromText('https://hooks.example.com/a?b=c')).toBe('https://hooks.example.com/a?b=c');
    for (const wrong of ['', 'hooks.example.com', 'ftp://a', 'http://', 'http://a b', 'http://a:port', 7]) {
      expect(HTTP_URL.fromValue(wrong)).toBeUndefined();
    }
  });

  it('may each have a key, in a file beside the configuration', () => {
    const targets = WEBHOOKS.fromValue(['http://a', { url: 'http://b', secretFile: 'b.key' }]);
    expect(targets).toEqual([{ url: 'http://a' }, { url: 'http://b', secretFile: 'b.key' }]);
    expect(WEBHOOKS.within?.(targets!, 'conf')).toEqual([
      { url: 'http://a' },
      { url: 'http://b', secretFile: 'conf/b.key' },
    ]);
    expect(WEBHOOKS.within?.([{ url: 'http://b', secretFile: '/b.key' }], 'conf')).toEqual([
      { url: 'http://b', secretFile: '/b.key' },
    ]);
    expect(WEBHOOKS.fromText('http://a, http://b')).toEqual([{ url: 'http://a' }, { url: 'http://b' }]);
    const wrong = ['http://a', [null], [{}], [{ url: 'http://a', secret: 'x' }], ['a'], [['http://a']]];
    for (const value of [...wrong, [{ url: 'http://a', secretFile: '' }], Array(17).fill('http://a')]) {
      expect(WEBHOOKS.fromValue(value)).toBeUndefined();
    }
    expect(WEBHOOKS.fromText('http://a,')).toBeUndefined();
  });
});
