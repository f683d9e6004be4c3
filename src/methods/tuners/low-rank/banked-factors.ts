import { add, matmul } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import type { BankedPart, BankedPiece, BankForm } from '../bank/bank-form.ts';
import { asRows, byExample, byToken, tokenRows, tokensOf } from '../bank/bank-rows.ts';
import { factorName } from './factors.ts';
import { productsOf } from './low-rank-injection.ts';
import type { Factored } from './low-rank-tuner.ts';

/** Increments y += x Aᵀ B, [rank, in] and [rank, out]. A includes λ, and B includes the scale. */
const FACTORS: BankForm = {
  key: 'factors',
  inject(reader, rooms) {
    // `linear` sets it; it is called before `increments`.
    const outFeatures = new Map<string, number>();
    /** Low-rank products of modules that read the same x, [batch, tokens, outFeatures], by path. */
    const products = (paths: readonly string[], x: Value): Map<string, Value> => {
      const adapted = paths
        .flatMap((path) => ({ path, rank: rooms.get(path) ?? 0 }))
        .filter(({ rank }) => rank);
      if (adapted.length === 0) return new Map();
      const inFeatures = x.shape[1] as number;
      const ranks = adapted.reduce((sum, { rank }) => sum + rank, 0);
      const names = adapted.map(({ path }) => path).join(' ');
      const a = reader.read(`A ${names}`, [ranks, inFeatures], (pieces, slot) => {
        let row = 0;
        for (const { path, rank } of adapted) {
          slot.set(pieces.get(path)?.tensors.a ?? [], row * inFeatures);
          row += rank;
        }
      });
      return productsOf(byExample(x), a, adapted, (inner, { path, rank }) => {
        const shape = [rank, outFeatures.get(path) as number];
        return matmul(
          inner,
          reader.read(`B ${path}`, shape, (pieces, slot) => slot.set(pieces.get(path)?.tensors.b ?? [])),
        );
      });
    };
    return {
      linear(module) {
        outFeatures.set(module.path, module.outFeatures);
        return undefined;
      },
      increments(paths, x) {
        // `output` turns outputs that all examples share into outputs per example.
        const made = tokensOf(x) === undefined ? undefined : products(paths, x);
        return paths.map((path) => {
          const product = made?.get(path);
          return product && asRows(product);
        });
      },
      output(path, y, x) {
        const product = tokensOf(x) === undefined ? products([path], x).get(path) : undefined;
        return product && tokenRows(add(byToken(y), byToken(asRows(product))));
      },
    };
  },
};

/** The factors of each module of rank 1 or more. */
export function bankedFactors({ modules, layout, values }: Factored): BankedPart {
  const read = (path: string, factor: Parameters<typeof factorName>[1]) =>
    layout.read(values, factorName(path, factor));
  const pieces = new Map<string, BankedPiece>();
  for (const { path, rank, scale, inFeatures, outFeatures } of modules) {
    if (rank === 0) continue;
    const diagonal = layout.find(factorName(path, 'E')) && read(path, 'E');
    const b = read(path, 'B');
    pieces.set(path, {
      size: rank,
      tensors: {
        a: read(path, 'A').map((x, i) => x * (diagonal?.[Math.floor(i / inFeatures)] ?? 1)),
        b: Float32Array.from({ length: rank * outFeatures }, (_, i) => {
          const [k, row] = [Math.floor(i / outFeatures), i % outFeatures];
          return scale * b[row * rank + k]!;
        }),
      },
    });
  }
  return { form: FACTORS, pieces };
}
