import type { BankedFactors } from '../banked.ts';
import { factorName } from './factors.ts';
import type { Factored } from './low-rank-tuner.ts';

/** The factors of each module of rank 1 or more. A includes λ, and B includes the scale. */
export function bankedFactors({ modules, layout, values }: Factored): Map<string, BankedFactors> {
  const read = (path: string, factor: Parameters<typeof factorName>[1]) =>
    layout.read(values, factorName(path, factor));
  const factors = new Map<string, BankedFactors>();
  for (const { path, rank, scale, inFeatures, outFeatures } of modules) {
    if (rank === 0) continue;
    const diagonal = layout.find(factorName(path, 'E')) && read(path, 'E');
    const b = read(path, 'B');
    factors.set(path, {
      rank,
      a: read(path, 'A').map((x, i) => x * (diagonal?.[Math.floor(i / inFeatures)] ?? 1)),
      b: Float32Array.from({ length: rank * outFeatures }, (_, i) => {
        const [k, row] = [Math.floor(i / outFeatures), i % outFeatures];
        return scale * b[row * rank + k];
      }),
    });
  }
  return factors;
}
