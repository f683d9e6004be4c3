import { afterEach, expect, it, vi } from 'vitest';
import { guessWish } from './guess-wish.ts';
import { readChosen } from './read-pictures.ts';

afterEach(() => vi.unstubAllGlobals());

/** Answers like the worker for parquet, with as many pictures as the file says. */
class ParquetWorker extends EventTarget {
  async postMessage({ id, args: [file] }: { id: number; args: [Blob] }): Promise<void> {
    const count = Number((await file.text()).slice('PAR1'.length));
    const names = Array.from({ length: count }, (_, i) => `image-${i}.png`);
    const lines = names.map((image, i) => `${JSON.stringify({ image, label: i % 2 ? 'cat' : 'dog' })}\n`);
    const pictures = new Map(names.map((name) => [name, new Blob([name])]));
    this.dispatchEvent(
      new MessageEvent('message', { data: { id, value: { lines: lines.join(''), pictures } } }),
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
  expect([...table.pictures!.keys()]).toEqual(table.rows.map(([path]) => path));
});

it('guesses that pictures are labeled by their folders', async () => {
  const names = Array.from({ length: 10 }, (_, i) => `${i % 2 ? 'cat' : 'dog'}/${i}.jpg`);
  const { wish, notice } = guessWish(await readChosen(chosen(...names)));
  expect(wish).toEqual({ goal: 'pictures', at: [0, 1] });
  expect(notice).toBeUndefined();
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
  expect([...table.pictures!.keys()]).toEqual(['a.jpg', 'b.jpg']);
});

it('takes the pictures in the rows of a parquet file, up to a number', async () => {
  vi.stubGlobal('Worker', ParquetWorker);
  const parquet = (count: number) => [{ path: 'a.parquet', file: new File([`PAR1${count}`], 'a.parquet') }];
  const table = await readChosen(parquet(12));
  expect(table.rows.slice(0, 2)).toEqual([
    ['image-0.png', 'dog'],
    ['image-1.png', 'cat'],
  ]);
  expect(await table.pictures!.get('image-1.png')!.text()).toBe('image-1.png');
  expect(guessWish(table).wish).toEqual({ goal: 'pictures', at: [0, 1] });
  await expect(readChosen(parquet(1001))).rejects.toThrow('a.parquet has 1001 pictures');
});

it.each([
  [['a/b.txt', 'a/c.txt'], /has no JPEG, PNG, WebP or GIF files/],
  [['a.jpg'], /^a\.jpg is not in a folder of its class\. Put the pictures/],
  [['x/a.jpg', 'x/b.jpg', 'c.jpg'], /^c\.jpg is not in a folder/],
  [Array.from({ length: 1001 }, (_, i) => `a/${i}.jpg`), /has 1001 pictures; a page takes at most 1000/],
])('reports files that are no pictures of classes: %.40j', async (paths, message) => {
  await expect(readChosen(chosen(...paths))).rejects.toThrow(message);
});
