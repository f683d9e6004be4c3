import { Command } from 'commander';
import { addUseFlags, dataFlags, modelFlags, type UseFlags } from '../flags.ts';
import { useColumns } from '../use-columns.ts';

export function evalCommand(): Command {
  const command = new Command('eval')
    .description('Score a trained model on a labelled file.')
    .argument('<run or adapter>', 'folder of a run, or of an adapter in the format of PEFT')
    .argument('<file>', 'TSV, CSV or JSON Lines')
    .option('--json', 'print one JSON object');
  return addUseFlags(command).action(run);
}

async function run(path: string, file: string, flags: UseFlags & { json?: boolean }): Promise<void> {
  const { openPredictor } = await import('../../train/node/predictor.ts');
  const { rowsFromFile } = await import('../rows-from-file.ts');
  const predictor = await openPredictor(path, modelFlags(flags));
  try {
    const columns = useColumns(predictor.data, dataFlags(flags), true);
    const rows = rowsFromFile(file, columns);
    const scores = await predictor.evaluate(rows, file);
    if (flags.json) {
      console.log(JSON.stringify(scores));
      return;
    }
    const width = Math.max(...Object.keys(scores).map((name) => name.length));
    for (const [name, score] of Object.entries(scores))
      console.log(`${name.padEnd(width)}  ${score.toFixed(4)}`);
  } finally {
    await predictor.close();
  }
}
