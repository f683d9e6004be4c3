import { afterEach, expect, it, vi } from 'vitest';
import { guessWish } from './guess-wish.ts';
import { readChosen as readWith } from './read-chosen.ts';

const toWav = async ({ name }: File) => new File(['wav'], name);
const readChosen = (files: Parameters<typeof readWith>[0]) => readWith(files, toWav);

afterEach(() => vi.unstubAllGlobals());

/** Answers like the worker for parquet, with as many pictures as the file says. */
class ParquetWorker extends EventTarget {
  async postMessage({ id, args: [file] }: { id: number; args: [Blob] }): Promise<void> {
    const count = Number((await file.text()).slice('PAR1'.length));
    const names = Array.from({ length: count }, (_, i) => `image-${i}.png`);
    const lines = names.map((image, i) => `${JSON.stringify({ image, label: i % 2 ? 'cat' : 'dog' })}\n`);
    const stored = new Map(names.map((name) => [name, new Blob([name])]));
    this.dispatchEvent(
      new MessageEvent('message', { data: { id, value: { lines: lines.join(''), stored } } }),
    );
  }

  terminate(): void {}
}

const chosen = (...paths: string[]) => paths.map((path) => ({ path, file: new File(['bytes'], path) }));

it('takes the folders of pictures for their classes, and leaves other files and hidden ones out', async () => {
  const table = await readChosen(
    chosen(
      'photos/red/b.PNG',
      'photos/red/a.jpg',
      'photos/blue/c.webp',
      'photos/red/note.txt',
      'photos/.x/d.png',
    ),
  );
  expect(table).toMatchObject({
    fileName: 'photos',
    columns: ['image', 'label'],
    rows: [
      ['blue/c.webp', 'blue'],
      ['red/a.jpg', 'red'],
      ['red/b.PNG', 'red'],
    ],
  });
  expect([...table.contents!.files.keys()]).toEqual(table.rows.map(([path]) => path));
});

it('takes pictures without folders of classes as rows without labels', async () => {
  const table = await readChosen(chosen('photos/a.jpg', 'photos/b.jpg'));
  expect(table).toMatchObject({ fileName: 'photos', columns: ['image'], rows: [['a.jpg'], ['b.jpg']] });
  expect([...table.contents!.files.keys()]).toEqual(['a.jpg', 'b.jpg']);
});

it('guesses that pictures are labeled by their folders', async () => {
  const names = Array.from({ length: 10 }, (_, i) => `${i % 2 ? 'cat' : 'dog'}/${i}.jpg`);
  const { wish, notice } = guessWish(await readChosen(chosen(...names)));
  expect(wish).toEqual({ goal: 'pictures', at: [0, 1] });
  expect(notice).toBeUndefined();
});

it('takes the folders of sounds for their classes, and converts those that are compressed', async () => {
  const table = await readChosen(chosen('calls/crow/a.ogg', 'calls/crow/b.WAV', 'calls/owl/c.mp3'));
  expect(table.rows).toEqual([
    ['crow/a.ogg', 'crow'],
    ['crow/b.WAV', 'crow'],
    ['owl/c.mp3', 'owl'],
  ]);
  const { medium, files } = table.contents!;
  const contents = await Promise.all([...files.values()].map((file) => file.text()));
  expect([medium, contents]).toEqual(['audio', ['wav', 'bytes', 'wav']]);
});

it.each([
  ['text', 'transcripts', [0, 1]],
  ['kind', 'sounds', [0, 1]],
])('guesses a goal for sounds with metadata in the column %s', async (column, goal, at) => {
  const rows = Array.from({ length: 12 }, (_, i) => `${i}.wav,${goal === 'sounds' ? i % 2 : `say ${i}`}\n`);
  const metadata = {
    path: 'x/metadata.csv',
    file: new File([`file_name,${column}\n${rows.join('')}`], 'm'),
  };
  const sounds = chosen(...Array.from({ length: 12 }, (_, i) => `x/${i}.wav`));
  expect(guessWish(await readChosen([metadata, ...sounds])).wish).toEqual({ goal, at });
});

it('trains on the folder for training only', async () => {
  const { rows, notice } = await readChosen(
    chosen('x/train/cat/a.jpg', 'x/train/dog/b.jpg', 'x/test/cat/c.jpg'),
  );
  expect(rows).toEqual([
    ['train/cat/a.jpg', 'cat'],
    ['train/dog/b.jpg', 'dog'],
  ]);
  expect(notice).toBe('The page trains on the folder train.');
});

it('reads the labels of pictures from metadata beside them', async () => {
  const metadata = {
    path: 'pets/metadata.csv',
    file: new File(['file_name,kind\na.jpg,cat\nb.jpg,dog\n'], 'm'),
  };
  const table = await readChosen([metadata, ...chosen('pets/a.jpg', 'pets/b.jpg')]);
  expect(table.columns).toEqual(['file_name', 'kind']);
  expect([...table.contents!.files.keys()]).toEqual(['a.jpg', 'b.jpg']);
});

const tables = (...paths: string[]) =>
  paths.map((path) => ({ path, file: new File([`file_name,kind\na.jpg,${path}\n`], 'm') }));

it('takes, of several files of metadata, that of the training folder', async () => {
  const pictures = chosen('x/test/a.jpg', 'x/train/a.jpg');
  const { rows } = await readChosen([...tables('x/test/metadata.csv', 'x/train/metadata.csv'), ...pictures]);
  expect(rows).toEqual([['a.jpg', 'x/train/metadata.csv']]);
});

it.each([
  ['x/metadata.csv', 'x/metadata.jsonl'],
  ['x/a/metadata.csv', 'x/b/metadata.csv'],
])('refuses %s beside %s', async (...paths) => {
  await expect(readChosen([...tables(...paths), ...chosen('x/a.jpg')])).rejects.toThrow(
    `has several files of metadata: ${paths.join(', ')}`,
  );
});

it('takes the pictures in the rows of a parquet file, up to a number', async () => {
  vi.stubGlobal('Worker', ParquetWorker);
  const parquet = (count: number) => [{ path: 'a.parquet', file: new File([`PAR1${count}`], 'a.parquet') }];
  const table = await readChosen(parquet(12));
  expect(table.rows.slice(0, 2)).toEqual([
    ['image-0.png', 'dog'],
    ['image-1.png', 'cat'],
  ]);
  expect(await table.contents!.files.get('image-1.png')!.text()).toBe('image-1.png');
  expect(guessWish(table).wish).toEqual({ goal: 'pictures', at: [0, 1] });
  await expect(readChosen(parquet(1001))).rejects.toThrow('a.parquet has 1001 pictures');
});

it.each([
  [['a/b.txt', 'a/c.txt'], /has no JPEG, PNG, WebP or GIF files, and no WAV/],
  [['x/a.jpg', 'x/b.jpg', 'c.jpg'], /^c\.jpg is not in a folder/],
  [Array.from({ length: 1001 }, (_, i) => `a/${i}.jpg`), /has 1001 pictures; a page takes at most 1000/],
])('reports files that are no pictures of classes: %.40j', async (paths, message) => {
  await expect(readChosen(chosen(...paths))).rejects.toThrow(message);
});
