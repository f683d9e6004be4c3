import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Kind, startWriter, whyNot } from '../../../../tests/support/writers.ts';
import { fileError } from '../../../support/user-error.ts';
import { NewFile } from './new-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'store-'));
});
afterEach(() => {
  for (const path of [folder, `${folder}-mounted`]) rmSync(path, { recursive: true, force: true });
});

const FILES = 30;

/** Publishes files filled with ones or twos while another process does the same. Prints the inodes that it sees. */
const PUBLISH = `
const { NewFile } = await built('input/store/node/new-file.js');
const { readFileSync, statSync } = await import('node:fs');
const isIntact = (path) => /^(1{9000}|2{9000})$/.test(readFileSync(path, 'latin1'));
const inodes = [];
for (let i = 0; i < ${FILES}; i++) {
  const file = new NewFile(folder + '/file-' + i);
  for (let part = 0; part < 9; part++) file.write(Buffer.alloc(1000, MARK));
  if (!file.publish(isIntact)) throw new Error('not intact');
  file.discard();
  inodes.push(statSync(folder + '/file-' + i).ino);
}
print(JSON.stringify(inodes));`;

it.for<[Kind, Kind]>([
  ['thread', 'thread'],
  ['process', 'process'],
  ['container', 'container'],
  ['process', 'container'],
  ['host', 'container'],
])(
  'a %s and a %s publish the same files, and neither replaces a file opened by the other',
  async ([a, b], { skip }) => {
    const reason = whyNot(a) ?? whyNot(b);
    skip(reason !== undefined, reason);
    const writers = [a, b].map((kind, i) => startWriter(kind, folder, PUBLISH.replace('MARK', `'${i + 1}'`)));
    const [first, second] = await Promise.all(writers.map((writer) => writer.line()));
    expect(second).toBe(first);
    const names = readdirSync(folder);
    expect(names.sort()).toEqual(Array.from({ length: FILES }, (_, i) => `file-${i}`).sort());
  },
);

const publish = (content: string, isIntact: (path: string) => boolean) => {
  const file = new NewFile(join(folder, 'file'));
  try {
    file.write(Buffer.from(content));
    return file.publish(isIntact);
  } finally {
    file.discard();
  }
};

it('keeps an intact file of another writer, and replaces a damaged one', () => {
  const path = join(folder, 'file');
  const isNumber = (path: string) => /^\d+$/.test(readFileSync(path, 'utf8'));
  expect(publish('1', isNumber)).toBe(true);
  const { ino } = statSync(path);
  expect(publish('2', isNumber)).toBe(true);
  expect([readFileSync(path, 'utf8'), statSync(path).ino]).toEqual(['1', ino]);
  writeFileSync(path, 'damaged');
  expect(publish('3', isNumber)).toBe(true);
  expect(readFileSync(path, 'utf8')).toBe('3');
  expect(readdirSync(folder)).toEqual(['file']);
});

it('does not publish an unreadable file', () => {
  expect(publish('1', () => false)).toBe(false);
  expect(readdirSync(folder)).toEqual([]);
});

it.runIf(process.platform === 'linux')('names the file that cannot be written by its final name', () => {
  const open = () => {
    try {
      return new NewFile('/sys/kernel/weights');
    } catch (error) {
      return fileError(error)?.message;
    }
  };
  expect(open()).toBe('/sys/kernel/weights failed: EACCES: permission denied.');
});
