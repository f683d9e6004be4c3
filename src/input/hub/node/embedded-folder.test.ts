import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { EMBEDDED_MODEL } from '../model-id.ts';
import { embeddedFolder, resolveModel } from './resolve-model.ts';

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'package-')));
});
afterEach(() => rmSync(root, { recursive: true }));

it('is in the package', () => {
  mkdirSync(join(root, 'models/mini'), { recursive: true });
  writeFileSync(join(root, 'models/mini/config.json'), '{}');
  expect(embeddedFolder([pathToFileURL(join(root, 'models/mini/config.json'))])).toBe(
    join(root, 'models/mini'),
  );
});

it('is reported missing in a package without it', () => {
  const file = pathToFileURL(join(root, 'models/mini/config.json'));
  expect(() => embeddedFolder([file])).toThrow(
    `\`model\` is not set, and the built-in model is missing from ${join(root, 'models/mini')}`,
  );
});

it.skipIf(!existsSync('models/mini'))('is listed file by file, with an expression for bundlers', () => {
  const files = readdirSync('models/mini').filter((name) => name !== 'README.md');
  const source = readFileSync('src/input/hub/embedded-files.ts', 'utf8');
  for (const name of files)
    expect(source).toMatch(new RegExp(`new URL\\('[./]+/models/mini/${name}', import`));
});

it.skipIf(!existsSync('models/mini'))('is found by its name (skipped without models/mini)', async () => {
  expect(await resolveModel(EMBEDDED_MODEL)).toBe(realpathSync(resolve('models/mini')));
});
