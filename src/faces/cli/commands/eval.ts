import { textInMemory } from '../../../input/data/rows.ts';
import { folderFiles } from '../../../input/formats/node/folder-files.ts';
import type { Certainty, Confusion } from '../../../program/example-set.ts';
import { classRows } from '../../../scores/metrics/classes.ts';
import { averaged } from '../../../scores/metrics/scores.ts';
import { verdictSentence } from '../../../studies/report/verdict-sentence.ts';
import { largest } from '../../../support/numbers.ts';
import { printable } from '../../../support/text.ts';
import { UserError } from '../../../support/user-error.ts';
import { withContents } from '../../../tasks/task-definition.ts';
import { readFinish } from '../../../training/run/event-log.ts';
import { RUN_FILES } from '../../../training/run/run-files.ts';
import type { Verdict } from '../../../training/run/verdict.ts';
import { namedFiles, withModel } from '../choose-inputs.ts';
import { type OpenFlags, readingFlags, type SplitFlags } from '../flags.ts';
import { readInput } from '../standard-input.ts';
import { aligned } from '../terminal/plain-text.ts';
import { warn } from '../terminal/screen.ts';

/** Maximum number of classes in the table. More would be too wide for a terminal. */
const MAX_CLASSES = 12;

/** A table with precision, recall and F1 of each class and their means, and the confusion matrix. */
export function classTable({ labels, counts }: Confusion): string {
  const head = ['', 'precision', 'recall', 'F1', 'rows'];
  const rows = [
    [...head, ...labels.map((label) => `as ${label}`)],
    ...classRows({ labels, counts }, (share) => share.toFixed(4)),
  ];
  const shown = labels.length <= MAX_CLASSES ? rows : rows.map((row) => row.slice(0, head.length));
  return aligned(shown, (column) => column > 0)
    .map(printable)
    .join('\n');
}

interface EvaluateFlags extends OpenFlags, SplitFlags {
  json?: boolean;
  quiet?: boolean;
  /** Whether the run that trained the model has just ended. */
  isTest?: boolean;
}

/** Scores a model on a file, and prints the scores unless `quiet`. */
export default async function run(
  path: string,
  file: string | undefined,
  flags: EvaluateFlags,
): Promise<Record<string, number>> {
  return withModel(path, flags, {}, async (trained) => {
    const task = trained.definition();
    const isTyped = file === '-' && flags.dataset === undefined;
    const named = isTyped
      ? [textInMemory('standard input', await readInput())]
      : await namedFiles(file, flags, task.files.takesFolders);
    if (!named) throw new UserError({ where: 'eval', fault: 'needs a file or --dataset' });
    const flagged = readingFlags(flags);
    const { modality, reading } = trained.context();
    const flaggedReading = task.files.withFlags(reading, flagged, named[0]!.name);
    const files = await withContents(named, task, modality, flaggedReading);
    let confusion: Confusion | undefined;
    let certainty: Certainty | undefined;
    const scores = await trained.score(files, {
      reading: flagged,
      onNotice: warn,
      onConfusion(found) {
        confusion = found;
      },
      onCertainty(found) {
        certainty = found;
      },
    });
    if (flags.quiet) return scores;
    const verdict = flags.isTest ? undefined : await verdictOfRun(path);
    if (flags.json) {
      console.log(JSON.stringify({ ...scores, confusion_matrix: confusion, verdict }));
      return scores;
    }
    const averages = task.classes?.averages?.(trained.labels) ?? {};
    const lines = Object.entries(scores).map(([name, score]) => {
      const key = name.slice('eval_'.length);
      return [printable(averaged(name, averages[key])), score, key] as const;
    });
    const width = largest(lines.map(([name]) => name.length));
    for (const [name, score, key] of lines) {
      const [low, high] = certainty?.interval(key) ?? [];
      const sure = low === undefined ? '' : `  (${low.toFixed(2)} to ${high?.toFixed(2)})`;
      console.log(`${name.padEnd(width)}  ${score.toFixed(4)}${sure}`);
    }
    if (confusion) console.log(`\n${classTable(confusion)}`);
    if (verdict) console.log(`\nWhen trained: ${printable(verdictSentence(verdict))}`);
    return scores;
  });
}

/** The verdict of the run that trained a model. Undefined for an adapter or a checkpoint. */
async function verdictOfRun(path: string): Promise<Verdict | undefined> {
  const run = folderFiles(path);
  return run.has(RUN_FILES.metrics) ? readFinish(run)?.verdict : undefined;
}
