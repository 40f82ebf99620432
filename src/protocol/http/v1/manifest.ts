import { basename } from 'node:path';
import type { ServedModel } from '../../../registry/contract.ts';

/** The models served now with their files, as YAML. JSON's strings are YAML's, so they need no escaping of their own. */
export function manifestText(version: string, models: readonly ServedModel[]): string {
  const head = `nimify: ${quote(version)}\nmodels:${models.length === 0 ? ' []' : ''}\n`;
  return head + models.map(modelText).join('');
}

function modelText({ name, version, platform, artifact, notes }: ServedModel): string {
  const told = Object.entries(notes).map(([key, value]) => `      ${quote(key)}: ${quote(value)}\n`);
  return (
    `  - name: ${quote(name)}\n` +
    `    version: ${quote(version)}\n` +
    `    platform: ${quote(platform)}\n` +
    `    file: ${quote(basename(artifact.path))}\n` +
    `    size_bytes: ${artifact.sizeBytes}\n` +
    `    checksum: ${quote(`sha256:${artifact.contentHash}`)}\n` +
    (told.length === 0 ? '' : `    notes:\n${told.join('')}`)
  );
}

function quote(text: string): string {
  return JSON.stringify(text);
}
