import { isAbsolute, relative, sep } from 'node:path';
import { SCHEMA_URL } from '../../base/config/json-schema.ts';
import { isOption, type Option, type OptionTree } from '../../base/config/option.ts';
import { MODEL_OPTIONS, SERVER_OPTIONS } from '../../base/config/options.ts';
import type { FoundModels } from '../../registry/repository.ts';

const WIDTH = 100;

/** A nimify.yaml that serves the models found, with every setting in it as a comment that shows its default. */
export function renderConfigFile({ models, skipped }: FoundModels, folder: string): string {
  const lines = [
    `# yaml-language-server: $schema=${SCHEMA_URL}`,
    ...comment(
      'What `nimify serve` serves in this folder, and how. Each setting stands here as a comment with its default, or with an example where there is no fixed one; take the `# ` before it away to change it. Variables and flags are stronger than this file; `nimify config` prints what holds.',
    ),
    '',
    ...comment(
      'Model files and folders of them, from the folder of this file. Any setting of `defaults` may stand in an entry, for that model only.',
    ),
    'models:',
  ];
  for (const { name, version, path } of models) {
    lines.push(`  - path: ${scalar(fromFolder(folder, path))}`, `    name: ${scalar(name)}`);
    if (version !== '1') lines.push(`    # version ${version}, by the name of its folder`);
  }
  for (const { path, reason } of skipped) {
    lines.push(`  # passed over: ${scalar(fromFolder(folder, path))} (${reason})`);
  }
  lines.push('', ...comment('Settings of all models.'), 'defaults:', ...group(MODEL_OPTIONS, '  '));
  for (const [key, tree] of Object.entries(SERVER_OPTIONS)) lines.push('', `${key}:`, ...group(tree, '  '));
  return `${lines.join('\n')}\n`;
}

/** Groups stand as they are, since one whose settings are all comments is empty and means nothing. */
function group(tree: OptionTree, indent: string): readonly string[] {
  return Object.entries(tree).flatMap(([key, node]) =>
    isOption(node)
      ? [...comment(node.doc, indent), `${indent}# ${key}: ${shownValue(node)}`]
      : [`${indent}${key}:`, ...group(node, `${indent}  `)],
  );
}

function shownValue({ default: byDefault, example }: Option<unknown>): string {
  if (byDefault === undefined) return example ?? '';
  return typeof byDefault === 'string' ? scalar(byDefault) : String(byDefault);
}

function fromFolder(folder: string, path: string): string {
  const short = relative(folder, path);
  return isAbsolute(short) || short.startsWith('..') ? path : short.split(sep).join('/');
}

/** Words that YAML reads as something else than text, in one of its versions. */
const NO_TEXT = /^(true|false|null|yes|no|on|off|y|n)$/i;

/** A text as YAML: plain where that is safe, else between double quotes with the escapes of JSON. */
function scalar(text: string): string {
  if (/^[A-Za-z_][\w./-]*$/.test(text) && !NO_TEXT.test(text)) return text;
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Lines of a comment, filled to the width. */
function comment(text: string, indent = ''): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + 3 + line.length + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((one) => `${indent}# ${one}`);
}
