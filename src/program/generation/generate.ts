import { largest } from '../../support/numbers.ts';
import { Random } from '../../support/random.ts';
import { UserError } from '../../support/user-error.ts';
import { computeProbabilities, draw, drawDistinct, logSoftmax, topIndices } from './draw.ts';
import type { GenerationSettings } from './generation-settings.ts';
import type { LanguageModel } from './language-model.ts';
import { type BatchOptions, beginSearch, type Search } from './search.ts';

interface GenerateOptions extends BatchOptions {
  /** Called with every token when it is chosen. Beam search knows its tokens only at the end, and does not call it. */
  onToken?: (generated: GeneratedToken) => void;
}

/**
 * Generates from prompts of token ids. The ids equal those of transformers' `generate`. Sampling depends only
 * on the seed and the step.
 *
 * @returns `num_return_sequences` rows per prompt, all of the same length. A row is the prompt, padded on the
 * left, and the generated tokens, padded on the right. For an encoder-decoder, a row is the decoder's tokens
 * with the start token.
 * @throws UserError for prompts and settings that do not fit each other or the model
 */
export async function generate(
  model: LanguageModel,
  prompts: readonly ArrayLike<number>[],
  settings: GenerationSettings,
  { onToken = () => {}, ...options }: GenerateOptions = {},
): Promise<Int32Array[]> {
  if (prompts.length === 0) return [];
  const search = await beginSearch(model, prompts, settings, options);
  const sequences = await (settings.num_beams > 1 ? beamSearch(search) : sampleTokens(search, onToken));
  return sequences.map((tokens) => Int32Array.from(tokens));
}

/**
 * Beam search or beam sampling. Returns the best `num_return_sequences` sequences of each prompt, the best
 * first. A prompt is no longer read when its finished beams cannot be beaten. transformers: `_beam_search`.
 */
async function beamSearch(search: Search): Promise<number[][]> {
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
      running.map(({ tokens }) => tokens[length - 1]!),
      running.map(({ place }) => place),
    );
    for (const [place, beam] of running.entries()) beam.place = place;
  }
  const best = items.flatMap(({ finished }) => finished.slice(0, num_return_sequences));
  const length = largest(best.map(({ tokens }) => tokens.length));
  // If the padding token has id 0, transformers uses the end token, because it tests the id for truth.
  const filler = ends === undefined ? -1 : pad || ends[0]!;
  return best.map(({ tokens }) => [...tokens, ...new Array<number>(length - tokens.length).fill(filler)]);
}

/** A token, and the index of the row that it extends. */
interface GeneratedToken {
  row: number;
  token: number;
}

/**
 * Greedy search or sampling. Returns `num_return_sequences` sequences per prompt. Ended sequences are padded and no
 * longer read. transformers: `_sample`.
 */
async function sampleTokens(
  search: Search,
  onToken: (generated: GeneratedToken) => void,
): Promise<number[][]> {
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
    for (const [i, { row }] of live.entries()) onToken({ row, token: chosen[i]! });
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
  const token = draw(computeProbabilities(scores), uniform);
  if (token >= 0) return token;
  throw new UserError({
    where: 'sampling',
    fault: 'has no token left: every one is banned',
    hint: 'Ban fewer: see bad_words_ids, suppress_tokens, no_repeat_ngram_size and min_new_tokens.',
    code: 'invalid_argument',
  });
}

/** The score of an excluded beam. It is finite and has 32 bits as in transformers, because this decides some ties. */
const NEVER = -1e9;

interface Beam {
  tokens: readonly number[];
  /** Sum of log probabilities. For a finished beam, it is normalized by the length. */
  score: number;
}

interface RunningBeam extends Beam {
  /** Index of the beam's row in the logits. */
  place: number;
}

interface FinishedBeam extends Beam {
  /** False if the slot is free. */
  isFinished: boolean;
}

/** The beam search for one prompt. */
interface BeamItem {
  index: number;
  running: RunningBeam[];
  /** The best complete beams so far, the best first. */
  finished: FinishedBeam[];
  /** Whether running beams may still beat the finished ones. */
  isOpen: boolean;
}

/**
 * Creates the search for one prompt. All beams start with the same tokens and would find the same
 * continuations. So only the first beam gets a score that counts.
 */
function beginItem(tokens: readonly number[], index: number, beams: number): BeamItem {
  const each = Array.from({ length: beams }, (_, beam) => beam);
  return {
    index,
    running: each.map((beam) => ({ tokens, score: beam === 0 ? 0 : NEVER, place: index })),
    finished: each.map(() => ({ tokens, score: NEVER, isFinished: false })),
    isOpen: true,
  };
}

interface Candidate extends RunningBeam {
  /** Whether the last token or the maximum length ends the sequence. */
  isEnd: boolean;
}

/**
 * Extends the beams by one token. Takes the best continuations, or draws one with each uniform number. Moves
 * ended beams to `finished`. Closes the item if no running beam can beat the finished ones.
 */
function extendItem(item: BeamItem, logits: Float32Array, uniforms: readonly number[], search: Search): void {
  const { settings, limits } = search;
  const { num_beams, early_stopping, length_penalty } = settings;
  const candidates = bestCandidates(item, logits, uniforms, search);
  const generated = candidates[0]!.tokens.length - limits.begun;
  item.finished = best(num_beams, [
    ...item.finished,
    ...candidates.map(({ tokens, score, isEnd }, rank) => {
      // Only the best `num_beams` candidates may finish; the others may continue.
      const isFinished = isEnd && rank < num_beams;
      const scored = byLength(score, generated, length_penalty);
      return { tokens, score: isFinished ? scored : Math.fround(scored + NEVER), isFinished };
    }),
  ]);
  item.running = best(
    num_beams,
    candidates.map(({ isEnd, score, ...beam }) => ({
      ...beam,
      score: isEnd ? Math.fround(score + NEVER) : score,
    })),
  );
  const isFull = item.finished.every(({ isFinished }) => isFinished);
  item.isOpen = !(isFull && early_stopping === true) && canImprove(item, generated, search);
}

/** Whether the best running beam would beat the worst finished beam, if it ended at its most favorable length. */
function canImprove(
  { running, finished }: BeamItem,
  generated: number,
  { settings, limits }: Search,
): boolean {
  const { early_stopping, length_penalty } = settings;
  const atBest = early_stopping === 'never' && length_penalty > 0 ? limits.most - limits.begun : generated;
  const hoped = byLength(running[0]!.score, atBest, length_penalty);
  const worst = finished[finished.length - 1]!.score;
  return finished.some(({ isFinished }) => hoped > (isFinished ? worst : NEVER));
}

function bestCandidates(
  { index, running }: BeamItem,
  logits: Float32Array,
  uniforms: readonly number[],
  { settings, vocabSize, limits, process }: Search,
): Candidate[] {
  const scores = new Float32Array(running.length * vocabSize);
  for (const [i, { tokens, score, place }] of running.entries()) {
    const rowScores = scores.subarray(i * vocabSize, (i + 1) * vocabSize);
    rowScores.set(logits.subarray(place * vocabSize, (place + 1) * vocabSize));
    logSoftmax(rowScores);
    process(rowScores, tokens, index);
    for (let id = 0; id < vocabSize; id++) rowScores[id]! += score;
  }
  const chosen = settings.do_sample ? drawDistinct(scores, uniforms) : topIndices(scores, uniforms.length);
  return Array.from(chosen, (at) => {
    const { tokens, place } = running[Math.floor(at / vocabSize)]!;
    const token = at % vocabSize;
    const isEnd = tokens.length + 1 >= limits.most || settings.eos_token_id?.includes(token) === true;
    return { tokens: [...tokens, token], score: scores[at]!, place, isEnd };
  });
}

function byLength(score: number, length: number, penalty: number): number {
  return Math.fround(score / Math.fround(length ** penalty));
}

/** The `count` beams with the largest scores, the best first. Equal scores keep their order. */
function best<T extends Beam>(count: number, beams: readonly T[]): T[] {
  return [...beams].sort((a, b) => (a.score === b.score ? 0 : a.score > b.score ? -1 : 1)).slice(0, count);
}
