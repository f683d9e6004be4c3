import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Random } from '../../../support/random.ts';
import { UserError } from '../../../support/user-error.ts';
import { checkSizes, parquetText } from './parquet-text.ts';

const fixture = (name: string) => new Uint8Array(readFileSync(new URL(`fixtures/${name}`, import.meta.url)));
const rowsOf = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('files from pyarrow', () => {
  // Rows are repeated every ten rows, except for their numbers.
  const expected = JSON.parse(fixtureText('rows.json'));

  it.each(['none', 'snappy', 'gzip', 'brotli', 'zstd', 'lz4', 'v2'])('%s', async (name) => {
    const { text, classes } = await parquetText(fixture(`rows-${name}.parquet`), 'x.parquet');
    const rows = rowsOf(text);
    expect(rows).toHaveLength(200);
    rows.forEach((row, i) => expect(row).toEqual({ ...expected[i % 10], idx: i }));
    expect(classes).toEqual({ label: ['unacceptable', 'acceptable'], ner_tags: ['O', 'B-PER'] });
  });
});

it('keeps images by names, and leaves other bytes out', async () => {
  const { text, stored, contentColumns } = await parquetText(fixture('images.parquet'), 'x');
  const rows = rowsOf(text);
  // A path that is missing, taken or no name of a picture is replaced.
  const own = [
    'a.png',
    'image-2.png',
    'image-3.png',
    'b/c.png',
    'image-5.png',
    'image-6.png',
    'g.png',
    'h.png',
  ];
  expect(rows.map(({ image }) => image)).toEqual([...own, 'd.png', '/beside.png']);
  expect(rows.map(({ raw }) => raw)).toEqual([...own.map((_, i) => `raw-${i + 1}.png`), undefined, null]);
  expect(rows[1]).toEqual({ image: 'image-2.png', raw: 'raw-2.png', label: 'red', caption: 'picture 1' });
  expect(contentColumns).toEqual({ image: 'image', raw: 'image' });
  expect([...stored.keys()].sort()).toEqual(
    [...own, 'd.png', ...own.map((_, i) => `raw-${i + 1}.png`)].sort(),
  );
  expect(stored.get('image-2.png')).toEqual(stored.get('raw-2.png'));
});

it('uses class names from beside the file', async () => {
  const { text } = await parquetText(fixture('rows-none.parquet'), 'x', { label: ['no', 'yes'] });
  expect(
    rowsOf(text)
      .slice(0, 3)
      .map(({ label }) => label),
  ).toEqual(['yes', 'no', null]);
});

it('writes integers that a double cannot represent unchanged, and leaves out such decimals', async () => {
  const { text } = await parquetText(fixture('numbers.parquet'), 'x');
  expect(rowsOf(text)).toEqual(
    [
      { id: '1234567890123456789', unsigned: '18446744073709551615', price: 1.5 },
      { id: '1234567890123456788', unsigned: '9007199254740993', price: -2.25 },
      { id: -5, unsigned: 5, price: 0 },
      { id: null, unsigned: null, price: null },
    ].map((row) => ({ ...row, nested: { amounts: [1] } })),
  );
});

describe('hostile files', () => {
  it('have no more columns than a table may have', () => {
    const metadata = { schema: Array(10_002), row_groups: [] };
    expect(() => checkSizes(new Uint8Array(8), metadata as never, undefined as never)).toThrow(
      'more than 10000 columns',
    );
  });

  it('are not decompressed beyond the limit for their size', async () => {
    await expect(parquetText(fixture('bomb.parquet'), 'bomb.parquet')).rejects.toThrow(
      'bomb.parquet is not a valid parquet file: more than 67162336 bytes when unpacked.',
    );
  });

  it('are rejected or read, whatever is changed in them', async () => {
    const random = new Random(1, 'parquet');
    // The library loops over some of these files, especially with data page v2. parquetFile runs it in a
    // thread that can be stopped.
    for (const name of ['rows-none', 'rows-snappy', 'rows-zstd', 'images']) {
      const bytes = fixture(`${name}.parquet`);
      for (let i = 0; i < 60; i++) {
        const changed = bytes.slice(0, random.uniform() < 0.2 ? random.integer(bytes.length) : undefined);
        for (let k = 0; k < 4 && changed.length > 0; k++)
          changed[random.integer(changed.length)] = random.integer(256);
        const read = await parquetText(changed, 'x').catch((error: unknown) => error);
        if (read instanceof Error) expect(read).toBeInstanceOf(UserError);
      }
    }
  });
});

function fixtureText(name: string): string {
  return new TextDecoder().decode(fixture(name));
}
