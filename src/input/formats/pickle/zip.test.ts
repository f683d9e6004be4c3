import { describe, expect, it } from 'vitest';
import { readOrRefuse } from '../../../../tests/support/read-or-refuse.ts';
import { concatBytes, type WrittenEntry, writeZip } from '../../../../tests/support/write-zip.ts';
import { UserError } from '../../../support/user-error.ts';
import { bytesAsSource } from '../byte-source.ts';
import { openStoredZip } from './zip.ts';

const ENTRIES: WrittenEntry[] = [
  { name: 'a/one', data: Uint8Array.of(1, 2, 3) },
  { name: 'a/none', data: new Uint8Array(0) },
  { name: 'ä', data: Uint8Array.of(4) },
];
const open = (bytes: Uint8Array) => openStoredZip(bytesAsSource(bytes, 'x.bin'));

function contents(bytes: Uint8Array): Record<string, number[]> {
  const zip = open(bytes);
  return Object.fromEntries(
    zip.names().map((name) => {
      const { begin, end } = zip.locate(name)!;
      return [name, [...bytes.subarray(begin, end)]];
    }),
  );
}

describe.each([false, true])('an archive (64-bit sizes: %s)', (wide) => {
  const bytes = writeZip(ENTRIES, { wide });

  it('returns its entries, also before a comment', () => {
    const expected = { 'a/one': [1, 2, 3], 'a/none': [], ä: [4] };
    expect(contents(bytes)).toEqual(expected);
    expect(contents(concatBytes([bytes, new Uint8Array(300)]))).toEqual(expected);
    expect(open(bytes).locate('b')).toBeUndefined();
    expect(open(writeZip([], { wide })).names()).toEqual([]);
  });

  it('truncated anywhere is rejected', () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(() => contents(bytes.subarray(0, length))).toThrow(UserError);
    }
  });

  it('with any byte changed is read or rejected, within its bounds', () => {
    const inputs = Array.from(bytes, (_, at) => [0, 1, 0x7f, 0xff].map((value) => bytes.with(at, value)));
    const rangesOf = (changed: Uint8Array) => {
      const zip = open(changed);
      return zip.names().map((name) => zip.locate(name)!);
    };
    readOrRefuse(inputs.flat(), rangesOf, (ranges, changed) => {
      const inOrder = ranges.sort((one, other) => one.begin - other.begin);
      const ends = inOrder.flatMap(({ begin, end }) => [begin, end]);
      // No entry reaches beyond the file or overlaps another.
      expect(ends).toEqual(ends.toSorted((one, other) => one - other));
      expect(ends.every((end) => end >= 0 && end <= changed.length)).toBe(true);
      expect(ranges).toHaveLength(ENTRIES.length);
    });
  });

  it.each<[string, Partial<WrittenEntry>, string]>([
    ['compressed', { method: 8 }, 'a/one is compressed by method 8'],
    ['encrypted', { flags: 1 }, 'a/one is encrypted'],
    ['of two sizes', { size: 4 }, 'has two sizes, 4 and 3'],
    [
      'longer than the file',
      { size: 4e9, compressedSize: 4e9 },
      'and has 4000000000 bytes, beyond its limit',
    ],
    ['beyond the file', { offset: 4e9 }, 'a/one has a header at byte'],
    ['without a header', { offset: 1 }, 'a/one has no header at byte 1'],
    ['that is another', { offset: 38 }, 'a/one has a header at byte 38, which must be before byte 38'],
    ['longer than it is', { size: 4, compressedSize: 4 }, 'a/one starts at byte'],
    ['of another name', { local: { name: 'b/one' } }, 'a/one has a header that contradicts the directory'],
    ['compressed after all', { local: { method: 8 } }, 'a/one has a header that contradicts the directory'],
    ['encrypted after all', { local: { flags: 1 } }, 'a/one has a header that contradicts the directory'],
  ])('with an entry %s is rejected', (_, lie, message) => {
    const [first, ...rest] = ENTRIES as [WrittenEntry, ...WrittenEntry[]];
    expect(() => contents(writeZip([{ ...first, ...lie }, ...rest], { wide }))).toThrow(message);
  });
});

it('rejects two entries with the same name, and a directory beyond the file', () => {
  expect(() => open(writeZip([ENTRIES[0]!, ENTRIES[0]!]))).toThrow('is there twice');
  const bytes = writeZip(ENTRIES);
  new DataView(bytes.buffer).setUint32(bytes.length - 10, 0xffffffff, true);
  expect(() => open(bytes)).toThrow('has a directory that ends at byte');
});

it('rejects a directory with another number of entries than declared, or too many', () => {
  for (const [count, message] of [
    [2, 'has more than the 2 entries'],
    [4, 'has 3 entries in its directory instead of 4'],
  ] as const) {
    const bytes = writeZip(ENTRIES);
    new DataView(bytes.buffer).setUint16(bytes.length - 12, count, true);
    expect(() => open(bytes)).toThrow(message);
  }
  const bytes = writeZip(ENTRIES, { wide: true });
  new DataView(bytes.buffer).setBigUint64(bytes.length - 22 - 20 - 56 + 32, 2n ** 60n, true);
  expect(() => open(bytes)).toThrow('instead of at most 131072 in');
});
