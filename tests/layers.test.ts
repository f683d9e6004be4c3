import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { ROOMS } from '../scripts/rooms/rooms.ts';

/** The folders of src. Each imports only from itself and from those before it. */
const LAYERS: readonly string[] = Object.keys(ROOMS);

/** The package's main entry point, for Node: it is above the layers. */
const ENTRY = 'src/index.ts';

/** The problem of an import, if any. Paths are relative to the repository, with forward slashes. */
function objection(file: string, imported: string): string | undefined {
  if (file === ENTRY) return undefined;
  const layer = file.split('/')[1]!;
  const forNode = (path: string) => /^src\/(cli|servers)\/|\/node\//.test(path);
  const known = LAYERS.indexOf(layer);
  if (known < 0) return `src/${layer} is not a layer: ${LAYERS.join(' < ')}`;
  if (/^onnxruntime-|^#wasm-engine/.test(imported) && layer !== 'runtime')
    return 'only src/runtime touches ONNX Runtime';
  if (imported.startsWith('node:') && !forNode(file))
    return 'node: belongs in src/cli, src/servers or under a folder named node';
  if (!imported.startsWith('.')) return undefined;
  const target = posix.join(posix.dirname(file), imported);
  if (!target.startsWith('src/')) return 'an import must stay in src';
  if (LAYERS.indexOf(target.split('/')[1]!) > known) {
    return `src/${layer} may import from itself and: ${LAYERS.slice(0, known).join(', ') || 'nothing else'}`;
  }
  if (forNode(target) && !forNode(file)) return 'what runs in a browser cannot import what needs Node';
  return undefined;
}

/** Every wrong import of a file, as `file imports x: rule`. */
function objections(file: string, text: string): string[] {
  return ts.preProcessFile(text).importedFiles.flatMap(({ fileName }) => {
    const rule = objection(file, fileName);
    return rule ? [`${file} imports ${fileName}: ${rule}`] : [];
  });
}

function sources(): string[] {
  return readdirSync('src', { recursive: true, encoding: 'utf8' })
    .map((path) => `src/${path.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'));
}

describe('imports', () => {
  it('of src point one way', () => {
    const files = sources();
    expect(files.length).toBeGreaterThan(50);
    expect(files.flatMap((file) => objections(file, readFileSync(file, 'utf8')))).toEqual([]);
  });

  it('only src/store writes files, and logs grow at their end', () => {
    const writing =
      /\b(writeFile|createWriteStream|mkdir|mkdtemp|rename|symlink|link|copyFile|cp|truncate)(Sync)?\b/;
    const importsOf = (path: string) =>
      [...readFileSync(path, 'utf8').matchAll(/^import \{([^}]+)\} from 'node:fs(\/promises)?'/gm)].map(
        ([, names]) => names!,
      );
    const writers = sources().filter((path) => importsOf(path).some((names) => writing.test(names)));
    expect(writers.length).toBeGreaterThan(2);
    expect(writers.filter((path) => !/^src\/store\/|\/testing\//.test(path))).toEqual([]);
  });

  it.each([
    [
      'src/onnx/lower.ts',
      `import { a } from '../runtime/session.ts'`,
      'src/onnx may import from itself and: support, store, graph, autodiff',
    ],
    [
      'src/support/a.ts',
      `export * from '../cli/b.ts'`,
      'src/support may import from itself and: nothing else',
    ],
    [
      'src/models/bert/model.ts',
      `import type { T } from '../../train/trainer.ts'`,
      'src/models may import from',
    ],
    [
      'src/train/trainer.ts',
      `const ort = await import('onnxruntime-web')`,
      'only src/runtime touches ONNX Runtime',
    ],
    [
      'src/train/trainer.ts',
      `const ort = await import('#wasm-engine')`,
      'only src/runtime touches ONNX Runtime',
    ],
    ['src/data/row.ts', `import 'node:fs'`, 'node: belongs in'],
    ['src/web/train.ts', `import { a } from '../cli/b.ts'`, 'src/web may import from itself and: support'],
    ['src/web/train.ts', `import { a } from '../jobs/node/b.ts'`, 'what runs in a browser cannot'],
    ['src/data/row.ts', `import { read } from './node/read.ts'`, 'what runs in a browser cannot'],
    ['src/data/row.ts', `import { a } from '../../tests/support/table.ts'`, 'an import must stay in src'],
    ['src/util/a.ts', `import { z } from 'zod'`, 'src/util is not a layer'],
  ])('of %s are rejected: %s', (file, text, rule) => {
    expect(objections(file, text)).toEqual([expect.stringContaining(rule)]);
  });

  it.each([
    [
      'src/onnx/lower.ts',
      `import { a } from '../graph/graph.ts'; import { b } from './rules.ts'; import protobuf from 'protobufjs'`,
    ],
    ['src/formats/node/read.ts', `import 'node:fs'; import { parse } from '../safetensors.ts'`],
    ['src/cli/main.ts', `import 'node:fs'; import { read } from '../formats/node/read.ts'`],
    ['src/runtime/web/create-session.ts', `import { env } from 'onnxruntime-web'`],
  ])('of %s are accepted: %s', (file, text) => {
    expect(objections(file, text)).toEqual([]);
  });
});

it('CONTRIBUTING.md has every room with its content, in this order', () => {
  const tree = Object.entries(ROOMS).map(([room, content]) => `  ${`${room}/`.padEnd(13)}${content}\n`);
  expect(readFileSync('CONTRIBUTING.md', 'utf8')).toContain(`src/\n${tree.join('')}`);
});
