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
    /bomb\.parquet: expected a valid parquet file, got more than \d+ bytes when unpacked\.$/,
  );
});

it('stops when the library would loop', async () => {
  await expect(parquetFile(fixture('endless'), undefined, 0.5)).rejects.toThrow(
    /endless\.parquet: expected a valid parquet file, got one that is not read within 1 s\.$/,
  );
});
