import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { EMBEDDED_MODEL } from '../embedded-model.ts';
import { embeddedFolder } from './embedded-folder.ts';
import { resolveModel } from './resolve-model.ts';

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'package-')));
});
afterEach(() => rmSync(root, { recursive: true }));

it('lies in the package', () => {
  mkdirSync(join(root, 'models/mini'), { recursive: true });
  writeFileSync(join(root, 'models/mini/config.json'), '{}');
  expect(embeddedFolder(root)).toBe(join(root, 'models/mini'));
});

it('is named where a package comes without', () => {
  expect(() => embeddedFolder(root)).toThrow(
    `model: expected the embedded model in ${join(root, 'models/mini')}, got nothing there. Name another`,
  );
});

it.skipIf(!existsSync('models/mini'))('is found by its name (skipped without models/mini)', async () => {
  expect(await resolveModel(EMBEDDED_MODEL)).toBe(realpathSync(resolve('models/mini')));
});
