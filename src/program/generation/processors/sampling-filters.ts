import { topIndices } from '../draw.ts';
import { softmax } from '../softmax.ts';
import type { LogitsProcessor } from './logits-processor.ts';

/** The settings that change a distribution before sampling. */
export interface SamplingSettings {
  temperature: number;
  top_k: number;
  top_p: number;
  min_p?: number;
}

/** The filters in transformers' order: temperature, top-k, top-p, min-p. Each leaves at least `kept` tokens. */
export function samplingFilters(settings: SamplingSettings, kept: number): LogitsProcessor[] {
  const { temperature, top_k, top_p, min_p } = settings;
  return [
    ...(temperature === 1 ? [] : [heat(temperature)]),
    ...(top_k === 0 ? [] : [keepTopK(Math.max(top_k, kept))]),
    ...(top_p === 1 ? [] : [keepTopP(top_p, kept)]),
    ...(min_p === undefined ? [] : [keepMinP(min_p, kept)]),
  ];
}

function heat(temperature: number): LogitsProcessor {
  return (scores) => {
    for (let i = 0; i < scores.length; i++) scores[i]! /= Math.fround(temperature);
  };
}

/** Up to this k, insertion is faster than sorting all scores. */
const FEW = 1000;

/** Keeps the k highest scores, and all scores equal to the last of them. */
function keepTopK(k: number): LogitsProcessor {
  return (scores) => {
    if (k >= scores.length) return;
    const least =
      k <= FEW ? scores[topIndices(scores, k)[k - 1]!]! : scores.slice().sort()[scores.length - k]!;
    remove(scores, (score) => score < least);
  };
}

/** Removes the least likely tokens, as long as their total probability does not exceed 1 - p. */
function keepTopP(p: number, kept: number): LogitsProcessor {
  const rest = Math.fround(1 - p);
  return (scores) => {
    // Banned tokens are left out: they have no probability, and sorting them is slow.
    const rising = scores.filter((score) => score > Number.NEGATIVE_INFINITY).sort();
    const probabilities = softmax(rising);
    let removed = 0;
    for (let sum = 0; removed < rising.length - kept; removed++) {
      sum += probabilities[removed]!;
      if (!(Math.fround(sum) <= rest)) break;
    }
    // Among equal scores, lower indices are removed first. In transformers, an ascending sort puts them
    // first.
    const bound = rising[removed]!;
    let equals = removed - rising.indexOf(bound);
    remove(scores, (score) => score < bound || (score === bound && equals-- > 0));
  };
}

function keepMinP(share: number, kept: number): LogitsProcessor {
  return (scores) => {
    const probabilities = softmax(scores);
    const best = topIndices(scores, kept);
    const bound = Math.fround(Math.fround(share) * probabilities[best[0]!]!);
    remove(scores, (_, i) => probabilities[i]! < bound && !best.includes(i));
  };
}

function remove(scores: Float32Array, isOut: (score: number, index: number) => boolean): void {
  for (let i = 0; i < scores.length; i++) if (isOut(scores[i]!, i)) scores[i] = Number.NEGATIVE_INFINITY;
}
