import { Random } from '../../support/random.ts';
import { UserError } from '../../support/user-error.ts';
import { draw, probabilitiesOf, topIndices } from './draw.ts';
import type { Search } from './search.ts';

/** A token, and the index of the row that it extends. */
export interface GeneratedToken {
  row: number;
  token: number;
}

/**
 * Greedy search or sampling. Yields every token when it is chosen, and returns the whole sequences,
 * `num_return_sequences` per prompt. Ended sequences are padded and no longer read. transformers: `_sample`.
 */
export async function* sampleTokens(search: Search): AsyncGenerator<GeneratedToken, number[][]> {
  const { settings, vocabSize, limits, begun, reader, process, signal } = search;
  const {
    do_sample,
    num_return_sequences: copies,
    eos_token_id: ends = [],
    pad_token_id: pad = 0,
  } = settings;
  const sequences = begun.flatMap((tokens) => Array.from({ length: copies }, () => [...tokens]));
  const itemOf = (row: number) => Math.floor(row / copies);
  let logits = search.logits;
  /** Active rows, with the index of each row's logits. */
  let live = sequences.map((_, row) => ({ row, place: itemOf(row) }));
  for (let length = limits.begun; ; ) {
    const drawn = (seed: number, count: number) => {
      const random = new Random(seed, 'sampling', length - limits.begun);
      return Array.from({ length: count }, () => (do_sample ? random.uniform() : 0));
    };
    // Ended rows also draw a number. So a row's result does not depend on when other rows end.
    const uniforms =
      search.seeds?.flatMap((seed) => drawn(seed, copies)) ?? drawn(search.seed, sequences.length);
    const chosen = live.map(({ row, place }) => {
      const scores = logits.slice(place * vocabSize, (place + 1) * vocabSize);
      process(scores, sequences[row]!, itemOf(row));
      return do_sample ? drawToken(scores, uniforms[row]!) : topIndices(scores, 1)[0];
    });
    for (const sequence of sequences) sequence.push(pad);
    for (const [i, { row }] of live.entries()) sequences[row]![length] = chosen[i]!;
    for (const [i, { row }] of live.entries()) yield { row, token: chosen[i]! };
    length++;
    live = live.filter(({ row }, i) => !ends.includes(chosen[i]!) && !search.hasLeft?.(row));
    if (live.length === 0 || length >= limits.most) return sequences;
    signal?.throwIfAborted();
    logits = await reader.next(
      live.map(({ row }) => sequences[row]![length - 1]!),
      live.map(({ place }) => place),
    );
    live = live.map(({ row }, place) => ({ row, place }));
  }
}

function drawToken(scores: Float32Array, uniform: number): number {
  const token = draw(probabilitiesOf(scores), uniform);
  if (token >= 0) return token;
  throw new UserError({
    where: 'sampling',
    fault: 'has no token left: every one is banned',
    hint: 'Ban fewer: see bad_words_ids, suppress_tokens, no_repeat_ngram_size and min_new_tokens.',
    code: 'invalid_argument',
  });
}
