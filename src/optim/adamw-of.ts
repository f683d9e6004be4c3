import { AdamW } from './adamw.ts';
import { lengthOf } from './moment-optimizer.ts';
import type { OptimizedTensor, OptimizerSettings } from './optimizer.ts';
import type { Segment } from './segment.ts';

/**
 * AdamW for the tensors of one vector.
 *
 * @param tensors disjoint and in order; together they fill the vector
 */
export function adamWOf(tensors: readonly OptimizedTensor[], settings: OptimizerSettings): AdamW {
  const decay = tensors.filter(({ start, end, decays }) => end > start && decays);
  return new AdamW(lengthOf(tensors), { ...settings, decay, rates: ratesOf(tensors) });
}

/** Ranges of equal learning rates; undefined if all factors are 1. */
function ratesOf(tensors: readonly OptimizedTensor[]) {
  const ranges: (Segment & { factor: number })[] = [];
  for (const { start, end, rate: factor } of tensors) {
    const last = ranges.at(-1);
    if (last?.factor === factor) last.end = end;
    else ranges.push({ start, end, factor });
  }
  return ranges.every(({ factor }) => factor === 1) ? undefined : ranges;
}
