import { measure, type Rounds } from '../measure.ts';
import type { DataResult, Timed } from '../results.ts';
import type { Launcher } from '../sides.ts';
import { type DataTask, GLUE, MODEL } from './data-cases.ts';

export interface DataRows {
  /** The times of training blocks, then of predictions. */
  rounds: Rounds;
  blockSteps: number;
  threads: number;
  /** Folder for adapters. */
  folder: string;
}

/** Our default for evaluation; PEFT uses the same. */
const EVAL_BATCH = 64;

/**
 * Measures AdaLoRA on real data. All sides train in turn, one block each. Then all sides predict with the
 * adapter that the first side trained.
 */
export async function measureData(
  { task, name, group_by_length }: { task: DataTask; name: string; group_by_length: boolean },
  launcher: Launcher,
  { rounds, blockSteps, threads, folder }: DataRows,
): Promise<DataResult> {
  launcher.makeBase(MODEL);
  const request = { model: MODEL, data: GLUE, task, threads };
  const rivals = (fields: object) =>
    launcher.sides.map((side) => ({ side, preparation: { ...request, dtype: side.dtype, ...fields } }));
  const trained = await measure<object, { train: Timed; evaluate: Timed }, unknown>(
    launcher,
    'data',
    rivals({ block_steps: blockSteps, eval_batch: EVAL_BATCH, group_by_length }),
    rounds,
    'block',
    (first) => first.ask('save', { folder }),
  );
  const predicted = await measure<object, Timed & { labels: number[] }, unknown>(
    launcher,
    'predict',
    rivals({ adapter: folder, batch: EVAL_BATCH }),
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
