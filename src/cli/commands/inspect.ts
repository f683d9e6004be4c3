import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';

export function inspectCommand(): Command {
  return new Command('inspect')
    .description('Show the ranks of an adapter by layer and matrix.')
    .argument('<run or adapter>', 'folder of a run, or of an adapter in the format of PEFT')
    .option('--json', 'print one JSON object')
    .action(run);
}

async function run(path: string, { json }: { json?: boolean }): Promise<void> {
  const { readAdapter } = await import('../../formats/peft/node/adapter-folder.ts');
  const { adapterRanks } = await import('../../report/adapter-ranks.ts');
  const { rankTable } = await import('../../report/rank-table.ts');
  const { config, tensors } = readAdapter(adapterFolder(path));
  const ranks = adapterRanks(tensors);
  const table = rankTable(ranks);
  const summary = {
    peft_type: config.peft_type,
    task_type: config.task_type,
    base_model_name_or_path: config.base_model_name_or_path,
    modules: table.modules,
    total_rank: table.total,
    average_rank: table.average,
    ...(config.peft_type === 'ADALORA' && { init_r: config.init_r, target_r: config.target_r }),
    adapter_parameters: parameters(tensors, true),
    head_parameters: parameters(tensors, false),
  };
  if (json) {
    console.log(JSON.stringify({ ...summary, ranks }));
    return;
  }
  const { heatMap } = await import('../terminal/heat-map.ts');
  const { counted } = await import('../terminal/describe-event.ts');
  const { coloursFor } = await import('../terminal/screen.ts');
  const start = summary.init_r === undefined ? '' : ` of ${summary.init_r} at the start`;
  console.log(
    `${config.peft_type} adapter of ${config.base_model_name_or_path ?? 'a model it does not name'}\n`,
  );
  console.log(heatMap(table, coloursFor(process.stdout).isColorSupported, summary.init_r));
  console.log(
    `\ntotal rank ${counted(table.total)} in ${table.modules} matrices, ${table.average.toFixed(2)} on average${start}`,
  );
  console.log(
    `${counted(summary.adapter_parameters)} parameters, and ${counted(summary.head_parameters)} in modules saved whole`,
  );
}

/** A run's adapter, or the folder itself. */
function adapterFolder(path: string): string {
  const ofRun = join(path, 'adapter');
  return existsSync(join(ofRun, 'adapter_config.json')) ? ofRun : path;
}

function parameters(tensors: ReadonlyMap<string, { data: Float32Array }>, ofAdapter: boolean): number {
  return [...tensors]
    .filter(([name]) => /\.lora_[AEB](\.weight)?$/.test(name) === ofAdapter)
    .reduce((sum, [, { data }]) => sum + data.length, 0);
}
