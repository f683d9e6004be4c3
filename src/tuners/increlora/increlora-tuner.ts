import type { Value } from '../../graph/graph.ts';
import { AdaLoraTuner, type TripletSettings } from '../adalora/adalora-tuner.ts';
import type { LowRankModule } from '../low-rank/factors.ts';
import type { ParameterLayout, TrainedParameter } from '../parameter-layout.ts';
import { GrowingInjection } from './growing-injection.ts';

/**
 * A tuner whose ranks may still grow. Its modules' scores are measured, and the last `reserve` triplets of each module
 * have a constant λ.
 */
export class IncreLoraTuner extends AdaLoraTuner {
  readonly watches: number;

  constructor(
    settings: TripletSettings,
    modules: readonly LowRankModule[],
    saved: readonly TrainedParameter[],
    readonly reserve: number,
    readonly watchesLast: boolean,
  ) {
    super(settings, modules, saved);
    this.watches = modules.length;
  }

  override withModules(modules: readonly LowRankModule[]): IncreLoraTuner {
    return new IncreLoraTuner(this.settings, modules, this.saved, this.reserve, this.watchesLast);
  }

  override inject(
    flat: Value,
    dropout: (x: Value, probability: number) => Value,
    layout: ParameterLayout = this.layout,
  ): GrowingInjection {
    return new GrowingInjection(layout, flat, this.modules, {
      diagonal: this.diagonal,
      dropout: (x) => dropout(x, this.dropout),
      reserve: this.reserve,
    });
  }
}
