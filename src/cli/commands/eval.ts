import { Command } from 'commander';
import { textInMemory } from '../../data/rows.ts';
import { averaged } from '../../metrics/scores.ts';
import { fromFirst } from '../../parallel/node/from-first.ts';
import type { Processes } from '../../parallel/node/join-processes.ts';
import type { Certainty, Confusion } from '../../program/example-set.ts';
import { verdictSentence } from '../../report/verdict/verdict-sentence.ts';
import { printable } from '../../support/printable.ts';
import { UserError } from '../../support/user-error.ts';
import {
  addSplitFlags,
  addUseFlags,
  namedFiles,
  openFlags,
  readingFlags,
  type SplitFlags,
  type UseFlags,
} from '../flags.ts';
import { inAllProcesses } from '../in-all-processes.ts';
import { classTable } from '../terminal/class-table.ts';

export function evalCommand(): Command {
  const command = new Command('eval')
    .description('Score a trained model on labelled rows, or a language model on text.')
    .argument('<run or adapter>', 'folder of a run or of an adapter (PEFT or AdapterHub)')
    .argument(
      '[file]',
      'labelled rows: TSV, CSV or JSON Lines. Language models: a text file, JSON Lines, or a folder of them. Use - for standard input. Required without --dataset',
    )
    .option('--json', 'print JSON Lines');
  return addUseFlags(addSplitFlags(command)).action((path, file, flags) =>
    inAllProcesses((processes) => evaluate(path, file, flags, processes)),
  );
}

/** Scores a model on a file and prints the scores. */
export async function evaluate(
  path: string,
  file: string | undefined,
  flags: UseFlags & SplitFlags & { json?: boolean },
  processes: Processes,
): Promise<void> {
  const { open } = await import('../../trained/node/open.ts');
  const { readInput } = await import('../standard-input.ts');
  const trained = await open(path, { ...openFlags(flags), processes });
  try {
    const task = trained.definition();
    const isTyped = file === '-' && flags.dataset === undefined;
    const files = isTyped
      ? [textInMemory('standard input', await fromFirst(processes.communicator, readInput))]
      : await namedFiles(file, flags, task.files.takesFolders);
    if (!files) throw new UserError({ where: 'eval', fault: 'needs a file or --dataset' });
    let confusion: Confusion | undefined;
    let certainty: Certainty | undefined;
    const scores = await trained.score(files, {
      reading: readingFlags(flags),
      onNotice: (message) => console.error(printable(message)),
      onConfusion(found) {
        confusion = found;
      },
      onCertainty(found) {
        certainty = found;
      },
    });
    const { judgeEvaluation } = await import('../../jobs/node/judge-evaluation.ts');
    const verdict = await judgeEvaluation(trained, {
      path,
      files,
      flags: readingFlags(flags),
      scores,
      certainty,
    });
    if (flags.json) {
      console.log(
        JSON.stringify({
          ...scores,
          ...(confusion && { confusion_matrix: confusion }),
          ...(verdict && { verdict }),
        }),
      );
      return;
    }
    const averages = task.classes?.averages?.(trained.labels) ?? {};
    const lines = Object.entries(scores).map(([name, score]) => {
      const key = name.slice('eval_'.length);
      return [averaged(name, averages[key]), score, key] as const;
    });
    const width = Math.max(...lines.map(([name]) => name.length));
    for (const [name, score, key] of lines) {
      const [low, high] = certainty?.interval(key) ?? [];
      const sure = low === undefined ? '' : `  (${low.toFixed(2)} to ${high?.toFixed(2)})`;
      console.log(`${name.padEnd(width)}  ${score.toFixed(4)}${sure}`);
    }
    if (confusion) console.log(`\n${classTable(confusion)}`);
    if (verdict) console.log(`\n${printable(verdictSentence(verdict))}`);
    if (verdict && !verdict.learnt) console.log('This is no better than a constant answer.');
  } finally {
    await trained.close();
  }
}
