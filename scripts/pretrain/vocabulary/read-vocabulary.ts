import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The pieces of a WordPiece tokenizer with their ids, in the order of the ids. It is a Map, because objects
 * list numeric keys first.
 */
export function readVocabulary(folder: string): Map<string, number> {
  const { model } = JSON.parse(readFileSync(join(folder, 'tokenizer.json'), 'utf8'));
  return new Map(Object.entries(model.vocab as Record<string, number>).sort(([, a], [, b]) => a - b));
}

/**
 * Splits a piece into the longest pieces of another vocabulary. Empty if that is impossible. A piece that
 * continues a word begins with `##`.
 */
export function piecesOf(piece: string, vocabulary: ReadonlyMap<string, number>): number[] {
  const whole = vocabulary.get(piece);
  if (whole !== undefined) return [whole];
  let prefix = piece.startsWith('##') ? '##' : '';
  let rest = piece.slice(prefix.length);
  const ids: number[] = [];
  while (rest !== '') {
    let length = rest.length;
    while (length > 0 && !vocabulary.has(prefix + rest.slice(0, length))) length--;
    if (length === 0) return [];
    ids.push(vocabulary.get(prefix + rest.slice(0, length)) as number);
    rest = rest.slice(length);
    prefix = '##';
  }
  return ids;
}
