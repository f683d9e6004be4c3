import { drawDistinct, logSoftmax, topIndices } from './draw.ts';
import type { Search } from './search.ts';

/** The score of an excluded beam. It is finite and has 32 bits as in transformers, because this decides some ties. */
const NEVER = -1e9;

export interface Beam {
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
export interface BeamItem {
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
export function beginItem(tokens: readonly number[], index: number, beams: number): BeamItem {
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
export function extendItem(
  item: BeamItem,
  logits: Float32Array,
  uniforms: readonly number[],
  search: Search,
): void {
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
