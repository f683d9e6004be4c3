import { measure, type Rounds } from '../measure.ts';
import type { DataResult, Timed } from '../results.ts';
import type { Launcher } from '../sides.ts';
import { DATA, type DataTask, devFile, MODEL } from './data-cases.ts';

export interface DataRows {
  /** The times of training blocks, then of predictions. */
  rounds: Rounds;
  blockSteps: number;
  threads: number;
  /** Folder for adapters. A file to evaluate may stand beside it. */
  folder: string;
}

/**
 * Measures AdaLoRA on real data. The sides alternate, one block each. Then all sides predict with the
 * adapter that the first side trained.
 */
export async function measureData(
  { task, name, group_by_length }: { task: DataTask; name: string; group_by_length: boolean },
  launcher: Launcher,
  { rounds, blockSteps, threads, folder }: DataRows,
): Promise<DataResult> {
  const { data, evalBatch, head } = DATA[task];
  launcher.makeBase(MODEL, 'int8', head);
  const request = { model: MODEL, data, task, dev: devFile(task, folder), threads };
  const rivals = (fields: object) =>
    launcher.sides.map((side) => ({ side, preparation: { ...request, dtype: side.dtype, ...fields } }));
  const trained = await measure<object, { train: Timed; evaluate: Timed }, unknown>(
    launcher,
    'data',
    rivals({ block_steps: blockSteps, eval_batch: evalBatch, group_by_length }),
    rounds,
    'block',
    (first) => first.ask('save', { folder }),
  );
  const predicted = await measure<object, Timed & { labels: (number | string)[] }, unknown>(
    launcher,
    'predict',
    rivals({ adapter: folder, batch: evalBatch }),
    rounds,
    'predict',
    async () => {},
  );
  const { labels } = predicted.measured[0]!.replies[0]!;
  const runs = launcher.sides.map((side, i) => {
    const [training, prediction] = [trained.measured[i], predicted.measured[i]];
    const own = prediction!.replies[0]!.labels;
    return {
      side: side.name,
      train: training!.replies.map(({ train }) => train),
      evaluate: training!.replies.map(({ evaluate }) => evaluate),
      predict: prediction!.replies.map(({ examples, ms }) => ({ examples, ms })),
      memory: { train: training!.memory, predict: prediction!.memory },
      sameLabels: own.filter((label, row) => label === labels[row]).length / labels.length,
    };
  });
  return { name, runs };
}
