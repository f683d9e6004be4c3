import { once } from 'node:events';
import { Command } from 'commander';
import { addUseFlags, dataFlags, modelFlags, type UseFlags } from '../flags.ts';
import { prediction, shortest } from '../prediction.ts';
import { useColumns } from '../use-columns.ts';

export function predictCommand(): Command {
  const command = new Command('predict')
    .description('Predict a line of JSON for each row: label, and probabilities in the order of the labels.')
    .argument('<run or adapter>', 'folder of a run, or of an adapter in the format of PEFT')
    .argument('[file]', 'TSV, CSV or JSON Lines; standard input without (there also one text a line)')
    .option('--logits', 'give the logits as well');
  return addUseFlags(command).action(run);
}

async function run(
  path: string,
  file: string | undefined,
  flags: UseFlags & { logits?: boolean },
): Promise<void> {
  const { openPredictor } = await import('../../train/node/predictor.ts');
  const { rowsFromFile } = await import('../rows-from-file.ts');
  const { readInput, rowsFromInput } = await import('../standard-input.ts');
  const predictor = await openPredictor(path, modelFlags(flags));
  try {
    const { task, labels } = predictor;
    const columns = useColumns(predictor.data, dataFlags(flags), false);
    const rows =
      file === undefined || file === '-'
        ? rowsFromInput(await readInput(), columns)
        : rowsFromFile(file, columns);
    for await (const logits of predictor.predict(rows)) {
      const result = {
        ...prediction(logits, task, labels),
        ...(flags.logits && { logits: Array.from(logits, shortest) }),
      };
      if (!process.stdout.write(`${JSON.stringify(result)}\n`)) await once(process.stdout, 'drain');
    }
  } finally {
    await predictor.close();
  }
}
