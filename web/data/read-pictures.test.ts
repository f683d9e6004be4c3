import { expect, it } from 'vitest';
import { guessWish } from './guess-wish.ts';
import { readChosen } from './read-pictures.ts';

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

it('reads the labels of pictures from metadata beside them', async () => {
  const metadata = {
    path: 'pets/metadata.csv',
    file: new File(['file_name,kind\na.jpg,cat\nb.jpg,dog\n'], 'm'),
  };
  const table = await readChosen([metadata, ...chosen('pets/a.jpg', 'pets/b.jpg')]);
  expect(table.columns).toEqual(['file_name', 'kind']);
  expect([...table.pictures!.keys()]).toEqual(['a.jpg', 'b.jpg']);
});

it.each([
  [['a/b.txt', 'a/c.txt'], /has no JPEG, PNG, WebP or GIF files/],
  [['a.jpg'], /^a\.jpg is not in a folder of its class\. Put the pictures/],
  [['x/a.jpg', 'x/b.jpg', 'c.jpg'], /^c\.jpg is not in a folder/],
  [Array.from({ length: 1001 }, (_, i) => `a/${i}.jpg`), /has 1001 pictures; a page takes at most 1000/],
])('reports files that are no pictures of classes: %.40j', async (paths, message) => {
  await expect(readChosen(chosen(...paths))).rejects.toThrow(message);
});
