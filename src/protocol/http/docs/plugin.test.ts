import { afterEach, expect, it } from 'vitest';
import { flowers, type ServedHere, serveModels } from '../v1/served-fakes.ts';

let here: ServedHere | undefined;

afterEach(() => here?.close());

it('serves the document of the models that are served at that moment', async () => {
  here = await serveModels([]);
  const before = await here.get('/openapi.json');
  expect(Object.keys(before.body.paths as object)).not.toContain('/v2/models/iris/infer');
  here.deps.registry.add(flowers());
  const after = await here.get('/openapi.json');
  expect(after.body).toMatchObject({ openapi: '3.1.0', info: { version: '0.0.0-test' } });
  expect(Object.keys(after.body.paths as object)).toContain('/v2/models/iris/infer');
});

it('shows it with what the server itself has', async () => {
  here = await serveModels([flowers()]);
  for (const path of ['/', '/docs/']) {
    const moved = await fetch(here.url + path, { redirect: 'manual' });
    expect([moved.status, moved.headers.get('location')]).toEqual([302, '/docs']);
  }

  const page = await fetch(`${here.url}/docs`);
  const html = await page.text();
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(page.headers.get('content-security-policy')).toContain("script-src 'self';");
  const references = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]!);
  expect(references).toHaveLength(4);
  for (const reference of references) {
    expect(reference).not.toMatch(/^[a-z]+:|^\/\//);
    const file = await fetch(new URL(reference, `${here.url}/docs`));
    expect(file.status, reference).toBe(200);
    expect((await file.arrayBuffer()).byteLength, reference).toBeGreaterThan(100);
    expect(file.headers.get('x-content-type-options')).toBe('nosniff');
  }
});

it('has no other files', async () => {
  here = await serveModels([]);
  for (const path of ['/docs/package.json', '/docs/../package.json', '/docs/%2e%2e/package.json']) {
    expect((await fetch(here.url + path)).status, path).toBe(404);
  }
});
