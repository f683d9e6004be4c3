import { expect, it } from 'vitest';
import { parquetFile } from './parquet-file.ts';

const fixture = (name: string) => new URL(`../fixtures/${name}.parquet`, import.meta.url).pathname;

it('reads a file in a thread, with class names from beside it', async () => {
  const { text, classes } = await parquetFile(fixture('rows-v2'), { label: ['no', 'yes'] });
  expect(text.split('\n')[0]).toContain('"label":"yes"');
  expect(classes.label).toEqual(['no', 'yes']);
});

it('reports errors in a file', async () => {
  await expect(parquetFile(fixture('bomb'))).rejects.toThrow(
    /bomb\.parquet is not a valid parquet file: more than \d+ bytes when unpacked\.$/,
  );
});

it('stops when the library would loop', async () => {
  await expect(parquetFile(fixture('endless'), undefined, 0.5)).rejects.toThrow(
    /endless\.parquet is not a readable parquet file: reading it took more than 1 s\.$/,
  );
});
