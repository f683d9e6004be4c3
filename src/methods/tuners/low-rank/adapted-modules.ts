import { writesText } from '../../../models/heads/registry.ts';
import type { LinearModule } from '../../../models/nn/network.ts';
import { matchTargets, type TargetSelection } from '../target-modules.ts';
import type { TunableModel } from '../tuner.ts';

/** The linear layers that a config selects. Without `target_modules`, they are those of `defaults`. */
export function adaptedModules(
  model: TunableModel,
  selection: Partial<TargetSelection>,
  defaults: readonly string[],
): readonly LinearModule[] {
  const { modules: heads, mayLack = [] } = model.head;
  // The module that scores words is often missing from checkpoints (it is tied). PEFT excludes it too.
  const outputs = writesText(model.headKind) ? mayLack : heads;
  const paths = matchTargets(
    model.linears.map(({ path }) => path),
    {
      ...selection,
      target_modules: selection.target_modules ?? defaults,
      modules_to_save: [...heads, ...(selection.modules_to_save ?? [])],
    },
    outputs,
  );
  const chosen = new Set(paths);
  return model.linears.filter(({ path }) => chosen.has(path));
}
