/**
 * Makes the package that is published: `node scripts/pack.mjs [folder]` leaves nimify-<version>.tgz in the folder.
 *
 * onnxruntime-node's install script downloads from outside the npm registry, and fails where only the registry
 * can be reached. So the package carries onnxruntime-node, with the binaries that it ships for every platform and
 * without its scripts; npm does not run scripts that are not there. koffi travels inside likewise, without its binaries
 * for other platforms: its install script compiles where none fits, and would fail there. So does swagger-ui-dist: one
 * of its dependencies reports each install to its maker.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { orExplain, ROOT, setUp } from './setup.mjs';

const SHIPPED = [
  'adapters',
  'bin',
  'dist',
  'docs/runbooks',
  'schema',
  'LICENSE',
  'README.md',
  'CHANGELOG.md',
];
/** Those for which onnxruntime-node has binaries, as koffi names them. */
const PLATFORMS = ['linux_x64', 'linux_arm64', 'darwin_arm64', 'win32_x64', 'win32_arm64'];
/** Packages that travel inside, and the parts of each that are needed at run time. */
const BUNDLED = {
  'onnxruntime-node': ['dist', 'bin', 'README.md'],
  'onnxruntime-common': ['dist', 'README.md'],
  koffi: [
    ...PLATFORMS.map((name) => `build/koffi/${name}/koffi.node`),
    'index.js',
    'LICENSE.txt',
    'README.md',
  ],
  'swagger-ui-dist': [
    'index.js',
    'absolute-path.js',
    'swagger-ui.css',
    'swagger-ui-bundle.js',
    'swagger-ui-bundle.js.LICENSE.txt',
    'favicon-32x32.png',
    'LICENSE',
    'NOTICE',
    'README.md',
  ],
};
/** What only their install scripts need. */
const INSTALL_ONLY = ['adm-zip', 'global-agent', '@scarf/scarf'];

await orExplain(setUp);
const target = resolve(process.argv[2] ?? '.');
const stage = mkdtempSync(join(tmpdir(), 'nimify-pack-'));
try {
  for (const name of SHIPPED) copy(join(ROOT, name), join(stage, name));
  for (const [name, parts] of Object.entries(BUNDLED)) bundle(name, parts);
  writeJson(join(stage, 'package.json'), published(readJson(join(ROOT, 'package.json'))));
  const packed = spawnSync('npm', ['pack', '--json', '--pack-destination', target], {
    cwd: stage,
    encoding: 'utf8',
  });
  if (packed.status !== 0) throw new Error(`npm pack failed:\n${packed.stderr}`);
  const [{ filename, size, unpackedSize, entryCount }] = Object.values(JSON.parse(packed.stdout));
  process.stdout.write(
    `${join(target, filename)}\n${mib(size)} packed, ${mib(unpackedSize)} unpacked, ${entryCount} files\n`,
  );
} finally {
  rmSync(stage, { recursive: true, force: true });
}

/** The manifest without what only a checkout needs. */
function published({ scripts: _scripts, devDependencies: _dev, files: _files, ...manifest }) {
  const versions = Object.fromEntries(
    Object.keys(BUNDLED).map((name) => [
      name,
      readJson(join(ROOT, 'node_modules', name, 'package.json')).version,
    ]),
  );
  return {
    ...manifest,
    dependencies: { ...manifest.dependencies, ...versions },
    bundleDependencies: Object.keys(BUNDLED),
  };
}

function bundle(name, parts) {
  const folder = join(stage, 'node_modules', name);
  mkdirSync(folder, { recursive: true });
  for (const part of parts) {
    copy(join(ROOT, 'node_modules', name, part), join(folder, part));
  }
  const {
    scripts: _scripts,
    devDependencies: _dev,
    ...manifest
  } = readJson(join(ROOT, 'node_modules', name, 'package.json'));
  for (const unused of INSTALL_ONLY) delete manifest.dependencies?.[unused];
  writeJson(join(folder, 'package.json'), manifest);
}

/** Without source maps, which point to sources that do not travel, and without the build's own notes. */
function copy(from, to) {
  if (!existsSync(from)) return;
  cpSync(from, to, {
    recursive: true,
    filter: (path) =>
      !path.endsWith('.map') && !path.endsWith('__pycache__') && !/[/\\]dist[/\\]\.[^/\\]*$/.test(path),
  });
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function writeJson(path, value) {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}

function mib(bytes) {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
