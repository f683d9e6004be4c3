import { existsSync, readdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { newFolder } from '../../../../tests/support/new-folder.ts';
import {
  openSafetensors,
  readSafetensors,
  writeSafetensors,
} from '../../../../tests/support/safetensors-file.ts';
import { UserError } from '../../../support/user-error.ts';

const shared = existsSync('../shared');

let folder: string;
beforeEach(() => {
  folder = newFolder();
});

describe('openSafetensors', () => {
  const path = () => join(folder, 'model.safetensors');
  beforeEach(() => {
    writeSafetensors(
      path(),
      new Map([
        ['ids', { dtype: 'I64', shape: [2], data: BigInt64Array.of(1n, -1n) }],
        ['layer.weight', { dtype: 'F32', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }],
        ['layer.bias', { dtype: 'F16', shape: [1], data: Uint16Array.of(0x3c00) }],
      ]),
      { format: 'pt' },
    );
  });

  it('reads single tensors', () => {
    const file = openSafetensors(path());
    expect(file.names()).toEqual(['ids', 'layer.weight', 'layer.bias']);
    expect(file.header.metadata).toEqual({ format: 'pt' });
    expect(file.has('ids')).toBe(true);
    expect(file.has('constructor')).toBe(false);
    expect(file.info('layer.weight')).toMatchObject({ dtype: 'F32', shape: [2, 2] });
    expect(file.readFloat32('layer.weight')).toEqual(Float32Array.of(1, 2, 3, 4));
    expect(file.readFloat32('layer.weight', 1, 3)).toEqual(Float32Array.of(2, 3));
    expect(file.readFloat32('layer.bias')).toEqual(Float32Array.of(1));
    expect(file.read('layer.bias')).toEqual(Uint16Array.of(0x3c00));
    expect(file.read('ids')).toEqual(BigInt64Array.of(1n, -1n));
    expect(() => file.readFloat32('ids')).toThrow(`${path()}: tensor ids has values of`);
    expect(() => file.info('layer.wieght')).toThrow('Did you mean layer.weight');
    file.close();
  });

  it.each<[string, () => string, string]>([
    ['a misspelt name', () => join(folder, 'modle.safetensors'), 'Did you mean model.safetensors?'],
    ['a missing folder', () => join(folder, 'no/model.safetensors'), 'does not exist either'],
    ['a folder', () => folder, ' is a folder or a device. Pass a safetensors file.'],
    ['a file as folder', () => join(path(), 'x'), 'does not exist; it should be a safetensors file'],
  ])('rejects %s with a UserError', (_, wrong, message) => {
    expect(() => openSafetensors(wrong())).toThrow(UserError);
    expect(() => openSafetensors(wrong())).toThrow(message);
  });

  it('reports how much of a truncated file is missing', () => {
    truncateSync(path(), readFileSync(path()).length - 1);
    expect(() => openSafetensors(path())).toThrow('1 are missing, from tensor "layer.bias" on');
    truncateSync(path(), 4);
    expect(() => openSafetensors(path())).toThrow('has 4 bytes, too few');
  });

  it('reports a file that shrinks while open', () => {
    const file = openSafetensors(path());
    truncateSync(path(), file.info('layer.weight').begin + 4);
    expect(() => file.read('layer.weight')).toThrow('The file changed while it was read.');
    file.close();
  });
});

describe.skipIf(!shared)('files of the reference writer (skipped without ../shared)', () => {
  const found = (root: string) =>
    existsSync(root)
      ? readdirSync(root, { recursive: true, encoding: 'utf8' })
          .filter((name) => name.endsWith('.safetensors'))
          .map((name) => join(root, name))
      : [];
  const files = [...found('../shared/conformance'), ...found('../shared/models/all-MiniLM-L6-v2')];

  it('exist', () => expect(files.length).toBeGreaterThan(80));

  it.each(files)('%s is rewritten byte for byte', (path) => {
    const file = openSafetensors(path);
    const copy = join(folder, 'copy.safetensors');
    writeSafetensors(copy, readSafetensors(path), file.header.metadata);
    file.close();
    expect(readFileSync(copy).equals(readFileSync(path))).toBe(true);
  });
});
