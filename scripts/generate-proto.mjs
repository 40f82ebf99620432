/**
 * Writes the TypeScript of proto/ to src/protocol/grpc/generated: `node scripts/generate-proto.mjs`.
 *
 * The compiler and its plugin come from npm for this one call: whoever does not change a .proto needs neither.
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './setup.mjs';

const COMPILER = '@bufbuild/buf@1.75.0';
/** As new as @bufbuild/protobuf in package-lock.json, not newer. */
const PLUGIN = '@bufbuild/protoc-gen-es@2.17.0';
const OUT = 'src/protocol/grpc/generated';

const template = {
  version: 'v2',
  plugins: [
    {
      local: 'protoc-gen-es',
      out: OUT,
      opt: ['target=ts', 'import_extension=ts', 'erasable_syntax=true'],
    },
  ],
};

rmSync(join(ROOT, OUT), { recursive: true, force: true });
const { status } = spawnSync(
  'npx',
  ['-y', '-p', COMPILER, '-p', PLUGIN, 'buf', 'generate', 'proto', '--template', JSON.stringify(template)],
  { cwd: ROOT, stdio: 'inherit' },
);
process.exitCode = status ?? 1;
