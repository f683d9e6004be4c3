import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { ROOMS, roomOf, WINGS } from '../scripts/rooms/rooms.ts';

/** The rooms, by their folders below src. Each imports only from itself and from those before it. */
const LAYERS = ROOMS.map(({ folder }) => folder);
const layerOf = (path: string) => LAYERS.indexOf(roomOf(path.slice('src/'.length)) ?? '');

/** The package's main entry point, for Node: it is above the layers. */
const ENTRY = 'src/index.ts';

/** The problem of an import, if any. Paths are relative to the repository, with forward slashes. */
function objection(file: string, imported: string): string | undefined {
  if (file === ENTRY) return undefined;
  const forNode = (path: string) => /^src\/faces\/(cli|servers)\/|\/node\//.test(path);
  const known = layerOf(file);
  const layer = LAYERS[known];
  if (!layer) return `${file} is in no room: ${LAYERS.join(' < ')}`;
  if (/^onnxruntime-|^#wasm-engine/.test(imported) && layer !== 'engine/runtime')
    return 'only src/engine/runtime touches ONNX Runtime';
  if (imported.startsWith('node:') && !forNode(file))
    return 'node: belongs in src/faces/cli, src/faces/servers or under a folder named node';
  if (!imported.startsWith('.')) return undefined;
  const target = posix.join(posix.dirname(file), imported);
  if (!target.startsWith('src/')) return 'an import must stay in src';
  if (layerOf(target) > known) {
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

/** The files that a file imports at its start or for its types. Imports inside functions come later, and close no circle. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/^(?:import|export (?:type )?[{*])[^;'"]*?from '(\.[^']+)'/gm)].map(([, name]) =>
    posix.join(posix.dirname(file), name!),
  );
}

/** The packages of other authors that a file loads at once, through whatever it imports other than types. */
function packagesOf(start: string): string[] {
  const packages = new Set<string>();
  const seen = new Set([start]);
  for (const file of seen) {
    const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ESNext);
    for (const statement of source.statements.filter(loads)) {
      const { text } = statement.moduleSpecifier as ts.StringLiteral;
      if (text.startsWith('.')) seen.add(posix.join(posix.dirname(file), text));
      else if (!text.startsWith('node:'))
        packages.add(
          text
            .split('/')
            .slice(0, text.startsWith('@') ? 2 : 1)
            .join('/'),
        );
    }
  }
  return [...packages].sort();
}

/** Whether a statement imports or exports values of another module. */
function loads(statement: ts.Statement): statement is ts.ImportDeclaration | ts.ExportDeclaration {
  if (ts.isExportDeclaration(statement)) {
    const { exportClause: names, isTypeOnly, moduleSpecifier } = statement;
    if (!moduleSpecifier || isTypeOnly) return false;
    return !names || !ts.isNamedExports(names) || names.elements.some((name) => !name.isTypeOnly);
  }
  if (!ts.isImportDeclaration(statement)) return false;
  const clause = statement.importClause;
  const names = clause?.namedBindings;
  if (!clause || clause.name || !names || !ts.isNamedImports(names)) return !clause?.isTypeOnly;
  return !clause.isTypeOnly && names.elements.some((name) => !name.isTypeOnly);
}

describe('imports', () => {
  it.each([
    [ENTRY, ['@noble/hashes']],
    ['src/faces/cli/run-command.ts', ['commander']],
  ])('%s loads few packages before a function is called', (file, packages) => {
    expect(packagesOf(file)).toEqual(packages);
  });

  it('of src point one way', () => {
    const files = sources();
    expect(files.length).toBeGreaterThan(50);
    expect(files.flatMap((file) => objections(file, readFileSync(file, 'utf8')))).toEqual([]);
  });

  it('of wings make no circle, and at most ten floors', () => {
    const below = new Map(Object.keys(WINGS).map((wing) => [wing, new Set<string>()]));
    for (const file of sources().filter((path) => path !== ENTRY)) {
      const wing = file.split('/')[1]!;
      for (const target of importsOf(file)) {
        const other = target.split('/')[1]!;
        if (other !== wing) below.get(wing)!.add(other);
      }
    }
    const floorOf = (wing: string, above: readonly string[]): number => {
      expect(above).not.toContain(wing);
      return 1 + Math.max(0, ...[...below.get(wing)!].map((each) => floorOf(each, [...above, wing])));
    };
    expect(below.size).toBeLessThanOrEqual(12);
    expect(Math.max(...[...below.keys()].map((wing) => floorOf(wing, [])))).toBeLessThanOrEqual(10);
  });

  it('of files make no circle', () => {
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (file: string, above: readonly string[]): void => {
      const start = above.indexOf(file);
      if (start >= 0) circles.push([...above.slice(start), file].join(' > '));
      if (start >= 0 || done.has(file)) return;
      for (const target of importsOf(file)) visit(target, [...above, file]);
      done.add(file);
    };
    for (const file of sources()) visit(file, []);
    expect(circles).toEqual([]);
  });

  it('only src/input/store writes files, and logs grow at their end', () => {
    const writing =
      /\b(writeFile|createWriteStream|mkdir|mkdtemp|rename|symlink|link|copyFile|cp|truncate)(Sync)?\b/;
    const importsOf = (path: string) =>
      [...readFileSync(path, 'utf8').matchAll(/^import \{([^}]+)\} from 'node:fs(\/promises)?'/gm)].map(
        ([, names]) => names!,
      );
    const writers = sources().filter((path) => importsOf(path).some((names) => writing.test(names)));
    expect(writers.length).toBeGreaterThan(2);
    expect(writers.filter((path) => !path.startsWith('src/input/store/'))).toEqual([]);
  });

  it.each([
    [
      'src/engine/onnx/lower.ts',
      `import { a } from '../runtime/session.ts'`,
      'src/engine/onnx may import from itself and: support, engine/graph, engine/autodiff',
    ],
    [
      'src/support/a.ts',
      `export * from '../faces/cli/b.ts'`,
      'src/support may import from itself and: nothing else',
    ],
    [
      'src/models/families/bert/model.ts',
      `import type { T } from '../../../training/train/trainer.ts'`,
      'src/models may import from',
    ],
    [
      'src/training/train/trainer.ts',
      `const ort = await import('onnxruntime-web')`,
      'only src/engine/runtime touches ONNX Runtime',
    ],
    [
      'src/training/train/trainer.ts',
      `const ort = await import('#wasm-engine')`,
      'only src/engine/runtime touches ONNX Runtime',
    ],
    ['src/input/data/rows.ts', `import 'node:fs'`, 'node: belongs in'],
    [
      'src/faces/web/train.ts',
      `import { a } from '../cli/b.ts'`,
      'src/faces/web may import from itself and: support',
    ],
    [
      'src/faces/web/train.ts',
      `import { a } from '../../studies/jobs/node/b.ts'`,
      'what runs in a browser cannot',
    ],
    ['src/input/data/rows.ts', `import { read } from './node/read.ts'`, 'what runs in a browser cannot'],
    [
      'src/input/data/rows.ts',
      `import { a } from '../../../tests/support/table.ts'`,
      'an import must stay in src',
    ],
    ['src/util/a.ts', `import { z } from 'zod'`, 'src/util/a.ts is in no room'],
  ])('of %s are rejected: %s', (file, text, rule) => {
    expect(objections(file, text)).toEqual([expect.stringContaining(rule)]);
  });

  it.each([
    [
      'src/engine/onnx/lower.ts',
      `import { a } from '../graph/graph.ts'; import { b } from './rules.ts'; import protobuf from 'protobufjs'`,
    ],
    ['src/input/formats/node/read.ts', `import 'node:fs'; import { parse } from '../safetensors.ts'`],
    ['src/faces/cli/main.ts', `import 'node:fs'; import { read } from '../../input/formats/node/read.ts'`],
    ['src/engine/runtime/web-session.ts', `import { env } from 'onnxruntime-web'`],
  ])('of %s are accepted: %s', (file, text) => {
    expect(objections(file, text)).toEqual([]);
  });
});

it('CONTRIBUTING.md has every room with its content, in this order', () => {
  const line = (indent: string, name: string, content: string) =>
    `${indent}${`${name}/`.padEnd(17 - indent.length)}${content}\n`;
  const tree = Object.entries(WINGS).flatMap(([wing, { content, rooms }]) => [
    line('  ', wing, content),
    ...Object.entries<string>(rooms)
      .filter(([name]) => name !== '.')
      .map(([name, text]) => line('    ', name, text)),
  ]);
  expect(readFileSync('CONTRIBUTING.md', 'utf8')).toContain(`src/\n${tree.join('')}`);
});

/** Calls that must not get a list of data as arguments: the engine takes about 125,000, then throws a RangeError. */
const SPREAD =
  /^(Math\.(max|min)|String\.from(CharCode|CodePoint)|\w+Array\.of|.*\.(push|unshift|splice|concat))$/;

/** Files with such calls on lists that a format or the code bounds. Elsewhere use `largest`, `smallest` or a loop. */
const BOUNDED = [
  'src/engine/graph/graph.ts', // outputs of a node
  'src/engine/graph/print.ts', // inputs of a node
  'src/engine/onnx/lowerings.ts', // two axes
  'src/support/definitions.ts', // names of a registry
  'src/studies/experiments/results/main-table.ts', // variants of a comparison
  'src/studies/experiments/results/results.ts', // variants of a comparison
  'src/studies/experiments/write-results.ts', // axes of a grid
  'src/faces/cli/commands/plan.ts', // sentences about a budget
  'src/input/media/images/image-header.ts', // four bytes
  'src/input/media/images/thumbnail.ts', // bytes of a small file
  'src/input/text/convert/convert-tokenizer.ts', // special tokens
  'src/input/text/steps/bpe.ts', // bytes of a character
  'src/input/text/steps/pipeline.ts', // bytes of a character
];

function listSpreads(file: string): string[] {
  const tree = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (
      ts.isCallExpression(node) &&
      node.arguments.some(ts.isSpreadElement) &&
      SPREAD.test(node.expression.getText())
    )
      found.push(`${file}:${tree.getLineAndCharacterOfPosition(node.getStart()).line + 1} ${node.getText()}`);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

describe('data', () => {
  it('is not spread into the arguments of a call', () => {
    expect(
      sources()
        .filter((file) => !BOUNDED.includes(file))
        .flatMap(listSpreads),
    ).toEqual([]);
  });
});
