import { mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { writeMadeAdapter } from '../../../tests/support/made-adapter.ts';
import { newFolder } from '../../../tests/support/new-folder.ts';
import { writeTinyModel } from '../../../tests/support/tiny-model.ts';
import { disk } from '../../input/formats/node/folder-files.ts';
import { models } from '../trained/node/load-model.ts';
import { AdapterFolders, type ReadAdapter } from './adapter-folders.ts';
import { AdapterPlaces } from './find-adapters.ts';
import { readContent, type ServedModel } from './served-adapter.ts';
import { BaseModel } from './served-base.ts';
import type { Serving } from './serving.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');
const folder = newFolder();
const [base, root] = [join(folder, 'model'), join(folder, 'adapters')];
const make = (seed: number) => writeMadeAdapter(join(root, 'a'), base, { seed });
let opened: BaseModel;

beforeAll(async () => {
  writeTinyModel(base);
  mkdirSync(join(root, 'a'), { recursive: true });
  opened = await BaseModel.open(models, base, 'float32');
});
beforeEach(() => make(1));
afterAll(() => {
  opened.close();
});

/** Watched folders with adapters that load slowly, and the served models. */
function watched(): { folders: AdapterFolders; served: ReadonlyMap<string, object> } {
  const models = new Map<string, object>();
  const serving: Pick<Serving, 'models' | 'add' | 'remove'> = {
    models: models as Serving['models'],
    async add(model) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      models.set(model.name, model);
    },
    remove: (name) => models.delete(name),
  };
  const read: ReadAdapter = (found) => readContent(found, opened);
  const folders = new AdapterFolders(
    new AdapterPlaces(disk, [root]),
    opened,
    serving as Serving,
    () => {},
    read,
  );
  return { folders, served: models };
}

it('adapter folders give a name to the first of simultaneous requests', async () => {
  const { folders } = watched();
  const ends = await Promise.allSettled(Array.from({ length: 5 }, () => folders.load('x', 'a')));
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', ...Array(4).fill('rejected')]);
});

it('adapter folders stop serving an adapter that was unloaded during a reload', async () => {
  const { folders, served } = watched();
  await folders.readAll();
  expect([...served.keys()]).toEqual(['a']);
  make(2);
  await folders.look();
  const looked = folders.look();
  await new Promise((resolve) => setTimeout(resolve, 20));
  await folders.unload('a');
  await looked;
  await folders.look();
  expect([...served.keys()]).toEqual([]);
});

it('adapter folders keep an adapter unloaded whose files changed before the unload', async () => {
  const { folders, served } = watched();
  await folders.readAll();
  make(2);
  await folders.look();
  await folders.unload('a');
  await folders.look();
  await folders.look();
  expect([...served.keys()]).toEqual([]);
  make(3);
  await folders.look();
  await folders.look();
  expect([...served.keys()]).toEqual(['a']);
});

it('reload an adapter that was replaced by one of equal size and time', async () => {
  const { folders, served } = watched();
  await folders.readAll();
  const before = served.get('a');
  const path = join(root, 'a', 'adapter_model.safetensors');
  const [old, { atime, mtime, size }] = [readFileSync(path), statSync(path)];
  make(2);
  const other = readFileSync(path);
  writeFileSync(path, old);
  utimesSync(path, atime, mtime);
  await folders.readAll();
  const again = served.get('a');
  expect(other).toHaveLength(size);
  writeFileSync(path, other);
  utimesSync(path, atime, mtime);
  await folders.look();
  await folders.look();
  expect(again).not.toBe(before);
  expect(served.get('a')).not.toBe(again);
});

it('free the memory of adapters that are replaced or unloaded', async () => {
  const { folders, served } = watched();
  await folders.readAll();
  // A separate function, so that the test's own frame holds no reference to the model.
  const use = async () => {
    const model = served.get('a') as ServedModel;
    const packed = await model.load();
    return { packed: new WeakRef(packed), model: new WeakRef(model) };
  };
  const isFree = async ({ packed, model }: Awaited<ReturnType<typeof use>>) => {
    // A WeakRef keeps its target until the end of the task that read it.
    await new Promise(setImmediate);
    collectGarbage();
    return packed.deref() === undefined && model.deref() === undefined;
  };
  const first = await use();
  expect(await isFree(first)).toBe(false);
  make(2);
  await folders.look();
  await folders.look();
  const second = await use();
  expect([await isFree(first), await isFree(second)]).toEqual([true, false]);
  await folders.unload('a');
  expect(await isFree(second)).toBe(true);
});

it('adapter folders keep the weights of a replaced adapter for requests that wait for it', async () => {
  const { folders, served } = watched();
  await folders.readAll();
  const model = served.get('a') as ServedModel;
  const packed = await model.load();
  make(2);
  await folders.look();
  await folders.look();
  expect(served.get('a')).not.toBe(model);
  expect(await model.load()).toBe(packed);
});
