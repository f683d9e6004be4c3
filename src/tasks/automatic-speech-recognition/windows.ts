import type { LogitsProcessor, RowLimits } from '../../program/generation/logits-processors.ts';
import { largest } from '../../support/numbers.ts';

/** The tokens of times. */
export interface TimeTokens {
  /** The token of 0 s. Each of the next ones is 0.02 s later. */
  first: number;
  /** The end of a transcript. Tokens of words are before it. */
  end: number;
  /** The number of the latest time at which the first words may begin. */
  mostInitial?: number | undefined;
}

/** Seconds between two tokens of times, and the frames of a spectrogram in them. */
const SECONDS = 0.02;
const FRAMES = 2;

/** Keeps a transcript to times in pairs, around every segment, as transformers' `WhisperTimeStampLogitsProcessor`. */
export function keepTimes({ first, end, mostInitial }: TimeTokens): (limits: RowLimits) => LogitsProcessor {
  return ({ begun }) =>
    (scores, tokens) => {
      const ban = (from: number, to?: number) => scores.fill(Number.NEGATIVE_INFINITY, from, to);
      const isTime = (place: number) => tokens[place]! >= first;
      const last = tokens.length - 1;
      ban(first - 1, first);
      if (last < begun) {
        ban(0, first);
        if (mostInitial !== undefined) ban(first + mostInitial + 1);
        return;
      }
      const isEnd = isTime(last) && last > begun && !isTime(last - 1);
      if (isEnd) ban(0, end);
      else if (isTime(last)) ban(first);
      const latest = tokens.findLast((token, place) => place >= begun && token >= first);
      if (latest !== undefined) ban(first, isEnd ? latest : latest + 1);
      // Any time, if that is more likely than each word.
      const word = largest(scores.subarray(0, first));
      let times = 0;
      for (let id = first; id < scores.length; id++) times += Math.exp(scores[id]! - word);
      if (times > 1) ban(0, first);
    };
}

/**
 * Cuts what was written for a window into segments at pairs of times, as transformers' long transcripts. If the last
 * segment does not end, the next window starts with it.
 *
 * @param ids without the end
 * @param frames length of the window
 * @returns the segments' tokens with times in seconds from the start of the window, and the frames up to the next window
 */
export function cutWindow(ids: readonly number[], first: number, frames: number) {
  const isTime = (place: number) => ids[place]! >= first;
  const seconds = (id: number) => (id - first) * SECONDS;
  const isWhole = ids.length > 1 && isTime(ids.length - 1) && !isTime(ids.length - 2);
  const cuts = [...ids.keys()].filter((place) => place > 0 && isTime(place - 1) && isTime(place));
  const last = ids[cuts.at(-1)! - 1]!;
  const next = cuts.length === 0 || isWhole || last === first ? frames : (last - first) * FRAMES;
  if (cuts.length > 0 && isWhole) cuts.push(ids.length);
  if (cuts.length > 0)
    return {
      next,
      segments: cuts.map((cut, i) => {
        const part = ids.slice(cuts[i - 1] ?? 0, cut);
        return { start: seconds(part[0]!), end: seconds(part.at(-1)!), ids: part };
      }),
    };
  const end = ids.findLast((id) => id > first);
  return { next, segments: [{ start: 0, end: end ? seconds(end) : frames / 100, ids }] };
}
