import { Random } from '../support/random.ts';
import { beginItem, extendItem } from './beam-item.ts';
import type { Search } from './search.ts';

/**
 * Beam search or beam sampling. Returns the best `num_return_sequences` sequences of each prompt, the best
 * first. A prompt is no longer read when its finished beams cannot be beaten. transformers: `_beam_search`.
 */
export async function beamSearch(search: Search): Promise<number[][]> {
  const { settings, limits, begun, reader, signal } = search;
  const { num_beams, num_return_sequences, do_sample, pad_token_id: pad, eos_token_id: ends } = settings;
  // Enough candidates that `num_beams` remain, even if every end token ends a beam.
  const kept = Math.max(2, 1 + (ends?.length ?? 0)) * num_beams;
  const items = begun.map((tokens, index) => beginItem(tokens, index, num_beams));
  let logits = search.logits;
  for (let length = limits.begun; ; ) {
    const random = new Random(search.seed, 'sampling', length - limits.begun);
    for (const item of items) {
      const uniforms = Array.from({ length: kept }, () => (do_sample ? random.uniform() : 0));
      if (item.isOpen) extendItem(item, logits, uniforms, search);
    }
    length++;
    const running = items.filter(({ isOpen }) => isOpen).flatMap((item) => item.running);
    if (running.length === 0 || length >= limits.most) break;
    signal?.throwIfAborted();
    logits = await reader.next(
      running.map(({ tokens }) => tokens[length - 1]),
      running.map(({ place }) => place),
    );
    for (const [place, beam] of running.entries()) beam.place = place;
  }
  const best = items.flatMap(({ finished }) => finished.slice(0, num_return_sequences));
  const length = Math.max(...best.map(({ tokens }) => tokens.length));
  // If the padding token has id 0, transformers uses the end token, because it tests the id for truth.
  const filler = ends === undefined ? -1 : pad || ends[0];
  return best.map(({ tokens }) => [...tokens, ...new Array<number>(length - tokens.length).fill(filler)]);
}
