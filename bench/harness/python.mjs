import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

/**
 * The Python that runs the peers: the one that `variable` names, else a virtual environment in the cache that is
 * made here, from a file of exact versions.
 * @throws where there is no python3, or the packages do not install
 */
export function preparePython({ variable, folder, requirements }) {
  const given = process.env[variable];
  if (given !== undefined) return given;
  const python = `${folder}/bin/python`;
  const stamp = `${folder}/requirements.txt`;
  const wanted = readFileSync(requirements, 'utf8');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return python;
  mkdirSync(folder, { recursive: true });
  process.stderr.write(`installing ${requirements} into ${folder}, once\n`);
  runOrExplain(
    'python3',
    ['-m', 'venv', folder],
    `${variable}=/path/to/python names one that has the packages`,
  );
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements];
  runOrExplain(python, pip, 'the packages of bench/requirements*.txt must be within reach of pip');
  writeFileSync(stamp, wanted);
  return python;
}

/** Builds the benchmark's own models, once. Returns their folder. */
export function buildModels({ python, script, folder }) {
  const stamp = `${folder}/make_models.py`;
  const wanted = readFileSync(script, 'utf8');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return folder;
  mkdirSync(folder, { recursive: true });
  runOrExplain(python, [script, folder], 'the models are made with the packages numpy and onnx');
  writeFileSync(stamp, wanted);
  return folder;
}

/** Generates Python's messages of the protocol, once. Returns their folder. */
export function buildMessages({ python, proto, folder }) {
  const stamp = `${folder}/infer.proto`;
  const wanted = readFileSync(`${proto}/infer.proto`, 'utf8');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return folder;
  mkdirSync(folder, { recursive: true });
  const args = ['-m', 'grpc_tools.protoc', '-I', proto, `--python_out=${folder}`, 'infer.proto'];
  runOrExplain(python, args, 'the messages are generated with the package grpcio-tools');
  writeFileSync(stamp, wanted);
  return folder;
}

/** Versions of those packages that are installed. */
export function packageVersions(python, names) {
  const program = `
import importlib.metadata as m, json, platform, sys
found = {"python": platform.python_version()}
for name in sys.argv[1:]:
    try: found[name] = m.version(name)
    except m.PackageNotFoundError: pass
print(json.dumps(found))`;
  return JSON.parse(execFileSync(python, ['-c', program, ...names], { encoding: 'utf8' }));
}

function runOrExplain(command, args, hint) {
  const { status, error, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return;
  const said = error?.message ?? stderr.trim().split('\n').slice(-3).join('\n');
  throw new Error(`${command} ${args.join(' ')} did not work: ${said}\n${hint}`);
}
