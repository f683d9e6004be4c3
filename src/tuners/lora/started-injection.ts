import { matmul, subtract } from '../../graph/build.ts';
import type { Value } from '../../graph/graph.ts';
import { AT_START, factorName } from '../low-rank/factors.ts';
import { LowRankInjection } from '../low-rank/low-rank-injection.ts';

/**
 * LoRA that starts from a part of the weight. The module computes with W - s B₀ A₀ instead of W. The stored weight does
 * not change, because the initial increment is subtracted from the current increment.
 */
export class StartedInjection extends LowRankInjection {
  override increments(paths: readonly string[], x: Value): (Value | undefined)[] {
    return super.increments(paths, x).map((increment, i) => {
      const scale = this.modules.get(paths[i]!)?.scale;
      if (!increment || scale === undefined) return undefined;
      const [a, b] = (['A', 'B'] as const).map((factor) =>
        this.options.frozen!.value(this.flat.node.graph, factorName(paths[i]!, factor) + AT_START),
      ) as [Value, Value];
      const taken = matmul(matmul(x, a, { transposeB: true }), b, { transposeB: true, scale });
      return subtract(increment, taken);
    });
  }
}
