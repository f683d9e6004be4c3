import { expect, it } from 'vitest';
import { piecesOf, readVocabulary } from '../scripts/pretrain/vocabulary/read-vocabulary.ts';

it('reads pieces in the order of their ids, also numeric ones', () => {
  const vocabulary = readVocabulary('models/mini');
  expect([...vocabulary.keys()].filter((piece) => /^\d+$/.test(piece)).length).toBeGreaterThan(10);
  expect([...vocabulary.values()]).toEqual(Array.from({ length: vocabulary.size }, (_, id) => id));
});

it('splits a piece into the longest pieces of another vocabulary', () => {
  const vocabulary = new Map([...['a', '##b', '1914', 'ab'].entries()].map(([id, piece]) => [piece, id]));
  expect(piecesOf('1914', vocabulary)).toEqual([2]);
  expect(piecesOf('abb', vocabulary)).toEqual([3, 1]);
  expect(piecesOf('##bb', vocabulary)).toEqual([1, 1]);
  expect(piecesOf('c', vocabulary)).toEqual([]);
});
