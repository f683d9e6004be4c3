import { once } from 'node:events';
import { Command } from 'commander';
import type { Predictor } from '../../trained/node/predictor.ts';
import { addUseFlags, dataFlags, modelFlags, type UseFlags } from '../flags.ts';
import { prediction, shortest } from '../prediction.ts';
import { useColumns } from '../use-columns.ts';

export function predictCommand(): Command {
  const command = new Command('predict')
    .description(
      'Predict a line of JSON for each row: label, and probabilities in the order of the labels. In a terminal, answer what is typed.',
    )
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
  const { openPredictor } = await import('../../trained/node/predictor.ts');
  const { rowsFromFile } = await import('../rows-from-file.ts');
  const { readInput, rowsFromInput } = await import('../standard-input.ts');
  const predictor = await openPredictor(path, modelFlags(flags));
  try {
    const { task, labels } = predictor;
    const columns = useColumns(predictor.data, dataFlags(flags), false);
    const isAsked = file === undefined && process.stdin.isTTY && process.stdout.isTTY;
    if (isAsked && columns.text_pair === undefined && !flags.logits) return await answerTyped(predictor);
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

/** Answers messages that are typed, until the input ends. */
async function answerTyped({ task, labels, predict }: Predictor): Promise<void> {
  const { askMessages } = await import('../terminal/ask-messages.ts');
  const { describePrediction } = await import('../terminal/describe-prediction.ts');
  const answer = async (text: string) => {
    for await (const logits of predict([{ text }]))
      console.log(describePrediction(prediction(logits, task, labels), labels));
  };
  console.error('Type a message. An empty line ends it, Ctrl-D ends all.');
  await askMessages(answer, { input: process.stdin, output: process.stderr });
}
