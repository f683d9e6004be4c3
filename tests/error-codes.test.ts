import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseRows } from '../src/input/data/parse-rows.ts';
import { assertNewFolder, readText } from '../src/input/formats/files.ts';
import { disk } from '../src/input/formats/node/folder-files.ts';
import { safetensorsDataStart } from '../src/input/formats/safetensors.ts';
import { explainHubError } from '../src/input/hub/explain-hub-error.ts';
import { parseModelId } from '../src/input/hub/model-id.ts';
import { lockFolder } from '../src/input/store/node/folder-lock.ts';
import { modelFamily } from '../src/models/registry.ts';
import { assertOptions } from '../src/support/options.ts';
import { fileError, USER_ERROR_CODES, UserError, type UserErrorCode } from '../src/support/user-error.ts';
import { classTargets } from '../src/tasks/labeled/label-kind.ts';
import { parseRunConfig } from '../src/training/run/config/parse-run-config.ts';
import { newFolder } from './support/new-folder.ts';

const folder = newFolder();
beforeAll(() => {
  writeFileSync(join(folder, 'file'), 'content');
});

/** Reads a table with the columns text and label. */
const rowsOf = (content: string) =>
  parseRows(content, 'a.csv', { format: 'csv', columns: { text: 'text', label: 'label' } } as never);
const hubError = (fault: object) =>
  explainHubError(
    Object.assign(new TypeError('fetch failed'), fault),
    parseModelId('a/b')!,
    'https://hub',
    '/cache',
  );
const thrown = (error: unknown): never => {
  throw error;
};

/** A way to each code. */
const WAYS: Readonly<Record<UserErrorCode, () => unknown>> = {
  invalid_config: () => parseRunConfig({ data: { train: 'a.csv' }, seed: 'x' }, 'config'),
  invalid_argument: () => assertOptions('open', { modle: 'x' }, {}),
  invalid_data: () => rowsOf(''),
  unknown_column: () => rowsOf('title,label\na,b\n'),
  unknown_label: () => classTargets([{ line: 1, text: '', label: 'bad' }], ['good'], 'a.csv'),
  invalid_file: () => safetensorsDataStart(new Uint8Array(4), 4, 'model.safetensors'),
  not_found: () => readText(disk, join(folder, 'nothing'), 'a config'),
  unsupported: () => modelFamily({ model_type: 'abacus' }, 'config.json'),
  in_use() {
    const unlock = lockFolder(folder);
    try {
      lockFolder(folder);
    } finally {
      unlock();
    }
  },
  already_exists: () => assertNewFolder(disk, folder),
  network: () => thrown(hubError({})),
  access_denied: () => thrown(hubError({ statusCode: 403 })),
  file_system: () => thrown(fileError(Object.assign(new Error('full'), { code: 'ENOSPC', path: '/full' }))),
  invalid: () => thrown(new UserError('Something else.')),
};

describe('a UserError', () => {
  it.each(Object.entries(WAYS))('has the code %s', (code, way) => {
    expect(way).toThrow(expect.objectContaining({ code, name: 'UserError' }));
  });

  it('has a code that docs/typescript.md explains', () => {
    const documented = [...readFileSync('docs/typescript.md', 'utf8').matchAll(/^\| `(\w+)` \| (.+) \|$/gm)];
    const codes = documented.filter(([, code]) => Object.hasOwn(USER_ERROR_CODES, code!));
    expect(Object.fromEntries(codes.map(([, code, text]) => [code, text]))).toEqual(USER_ERROR_CODES);
  });

  it.each([
    [{ key: '--seed', fault: 'is missing' }, 'invalid_argument'],
    [{ key: 'seed', fault: 'is missing' }, 'invalid_config'],
    [{ where: 'config.json', key: 'hidden_size', fault: 'is missing' }, 'invalid'],
  ])('about a key has a usual code: %j', (complaint, code) => {
    expect(new UserError(complaint).code).toBe(code);
  });
});
