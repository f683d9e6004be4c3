import { Command } from 'commander';
import type { AdapterTensors } from '../../../input/formats/adapters/stored-adapter.ts';
import { printable } from '../../../support/text.ts';
import { UserError } from '../../../support/user-error.ts';
import { checkpointOption } from '../flags.ts';

export function inspectCommand(): Command {
  return new Command('inspect')
    .description(
      'Show an adapter: its ranks by layer and matrix or, for houlsby and pfeiffer, its bottleneck sizes.',
    )
    .argument('<run or adapter>', 'folder of a run or of an adapter (PEFT or AdapterHub)')
    .addOption(checkpointOption())
    .option(
      '--importance',
      'show the importance of each component over the run, which needs training.log_importance: all',
    )
    .option('--module <name>', 'with --importance: show only matrices with this text in their names')
    .option('--json', 'print JSON Lines')
    .action(run);
}

interface InspectFlags {
  importance?: boolean;
  module?: string;
  json?: boolean;
}

async function run(path: string, { importance, module, json }: InspectFlags): Promise<void> {
  if (importance) {
    const { showImportance } = await import('../show-importance.ts');
    return showImportance(path, module, json);
  }
  if (module !== undefined) throw new UserError({ where: '--module', fault: 'needs --importance' });
  const { adapterConfigFile, readAdapter } = await import(
    '../../../input/formats/adapters/node/adapter-folder.ts'
  );
  const { rankTable } = await import('../../../studies/report/rank-table.ts');
  const { locateAdapter } = await import('../../../use/trained/node/locate-trained.ts');
  const { taskTypeOf } = await import('../../../models/heads/task-type-of.ts');
  const { kindOf } = await import('../../../methods/tuners/registry.ts');
  const { folder } = await locateAdapter(path);
  const stored = await readAdapter(folder);
  const where = adapterConfigFile(folder);
  const kind = kindOf(stored, where);
  const { ranks, initialRank, settings, isOwn, isFrozen = () => false } = kind.facts(stored, where);
  const { config, baseModel, tensors } = stored;
  const table = rankTable(ranks);
  const hasRanks = table.modules > 0;
  const frozen = count(tensors, isFrozen);
  const summary = {
    // Only adapter files of PEFT have `peft_type`.
    [config.peft_type === undefined ? 'kind' : 'peft_type']: kind.name,
    task_type: taskTypeOf(stored),
    base_model_name_or_path: baseModel,
    ...(hasRanks && { modules: table.modules, total_rank: table.total, average_rank: table.average }),
    ...settings,
    adapter_parameters: count(tensors, isOwn) - frozen,
    ...(frozen > 0 && { frozen_parameters: frozen }),
    head_parameters: count(tensors, (key) => !isOwn(key)),
  };
  if (json) {
    console.log(JSON.stringify({ ...summary, ...(hasRanks && { ranks }) }));
    return;
  }
  const { heatMap } = await import('../terminal/heat-map.ts');
  const { counted } = await import('../terminal/describe-event.ts');
  const { coloursFor } = await import('../terminal/screen.ts');
  console.log(`${kind.name} adapter of ${printable(baseModel ?? 'a model it does not name')}\n`);
  if (hasRanks) {
    const start = initialRank === undefined ? '' : ` of ${initialRank} at the start`;
    console.log(heatMap(table, coloursFor(process.stdout).isColorSupported, initialRank));
    console.log(
      `\ntotal rank ${counted(table.total)} in ${table.modules} matrices, ${table.average.toFixed(2)} on average${start}`,
    );
  }
  if (!hasRanks)
    for (const [key, value] of Object.entries(settings)) console.log(printable(`${key}: ${value}`));
  const fixed = frozen > 0 ? `${counted(frozen)} frozen, ` : '';
  console.log(
    `${counted(summary.adapter_parameters)} parameters, ${fixed}and ${counted(summary.head_parameters)} in modules saved whole`,
  );
}

function count(tensors: AdapterTensors, isWanted: (key: string) => boolean): number {
  return [...tensors].reduce((sum, [key, { data }]) => sum + (isWanted(key) ? data.length : 0), 0);
}
