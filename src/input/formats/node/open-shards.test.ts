import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../../../support/user-error.ts';
import { openCheckpoint } from './checkpoint.ts';
import { writeSafetensors } from './safetensors-file.ts';

const KINDS = [
  { ending: '.safetensors', index: 'model.safetensors.index.json', other: '.bin' },
  { ending: '.bin', index: 'pytorch_model.bin.index.json', other: '.safetensors' },
];

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'shards-')));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe.each(KINDS)('an index of $ending files', ({ ending, index, other }) => {
  const fails = (weightMap: unknown, message: string) => {
    writeFileSync(join(folder, index), JSON.stringify({ weight_map: weightMap }));
    expect(() => openCheckpoint(folder)).toThrow(UserError);
    expect(() => openCheckpoint(folder)).toThrow(message);
  };

  beforeEach(() => {
    const tensor = { dtype: 'F32' as const, shape: [1], data: Float32Array.of(1) };
    if (ending === '.bin')
      copyFileSync('src/input/formats/pickle/fixtures/state-dict.bin', join(folder, 'one.bin'));
    else writeSafetensors(join(folder, 'one.safetensors'), new Map([['weight', tensor]]));
    symlinkSync(`loop${ending}`, join(folder, `loop${ending}`));
    symlinkSync('nowhere', join(folder, `dangling${ending}`));
    mkdirSync(join(folder, `folder${ending}`));
    writeFileSync(join(folder, `empty${ending}`), '');
  });

  it.each<[string, unknown, string]>([
    ['a path upwards', '../one', '`weight_map: weight` must be the name of a'],
    ['an absolute path', '/etc/one', '`weight_map: weight` must be the name'],
    ['a path inside', 'folder/one', '`weight_map: weight` must be the name'],
    ['a Windows path', 'C:one', '`weight_map: weight` must be the name'],
    ['a backslash', '..\\one', '`weight_map: weight` must be the name'],
    ['a zero byte', 'one\0', '`weight_map: weight` must be the name'],
    ['an ending alone', '', '`weight_map: weight` must be the name'],
    ['a folder', 'folder', 'is a folder or a device'],
    ['a link to itself', 'loop', 'which is missing'],
    ['a link to nothing', 'dangling', 'which is missing'],
    ['no file', 'nine', 'which is missing. Download the missing file.'],
    ['a long name', 'x'.repeat(10_000), 'which is missing'],
    ['an empty file', 'empty', `empty${ending} `],
  ])('with %s', (_, shard, message) => fails({ weight: `${shard}${ending}` }, message));

  it.each<[string, unknown, string]>([
    ['another kind of file', { weight: `one${other}` }, `must be the name of a ${ending} file in the same`],
    ['a number', { weight: 1 }, '`weight_map: weight` must be the name'],
    ['a list', ['weight'], 'has a weight_map that is not an object: ["weight"]'],
    ['no map', undefined, 'has no weight_map'],
    [
      'a tensor that the shard lacks',
      { b: `one${ending}` },
      `puts tensor b into one${ending}, which does not contain it`,
    ],
    ['itself', { weight: index }, 'must be the name'],
  ])('with %s in a shard', (_, weightMap, message) => fails(weightMap, message));

  it.skipIf(process.platform === 'win32')('with a pipe', () => {
    execFileSync('mkfifo', [join(folder, `pipe${ending}`)]);
    fails({ weight: `pipe${ending}` }, 'is a folder or a device');
  });

  it('with too many shards, tensors or bytes, without end or duplicated', () => {
    const many = (count: number, shard: (i: number) => string) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`w${i}`, `${shard(i)}${ending}`]));
    fails(
      many(2000, (i) => `${i}`),
      'names 2000 shards, more than the maximum of 1024',
    );
    fails(
      many(1_000_000, () => 'one'),
      'is JSON with more than 1048576 values',
    );
    const write = (content: string | Uint8Array) => writeFileSync(join(folder, index), content);
    write(Buffer.alloc(2 ** 25 + 1));
    expect(() => openCheckpoint(folder)).toThrow('has 33554433 bytes, more than the maximum of 33554432');
    write('{');
    expect(() => openCheckpoint(folder)).toThrow(`${index} is not valid JSON: something else`);
    write('['.repeat(1e6));
    expect(() => openCheckpoint(folder)).toThrow('nested deeper than 8 levels');
    write(`{"weight_map":{"weight":"one${ending}","weight":"two${ending}"}}`);
    expect(() => openCheckpoint(folder)).toThrow('has the same key twice in one object');
  });

  it.skipIf(!existsSync('/proc/self/fd'))('closes the shards opened so far', () => {
    const open = () => readdirSync('/proc/self/fd').length;
    const before = open();
    for (const map of [
      { weight: `one${ending}`, b: `one${ending}` },
      { weight: `one${ending}`, b: `nine${ending}` },
    ])
      for (let i = 0; i < 5; i++) fails(map, 'shard');
    expect(open()).toBe(before);
  });
});
