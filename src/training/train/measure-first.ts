import { Graph, type Value } from '../../engine/graph/graph.ts';
import type { Tensors } from '../../engine/runtime/session.ts';
import { accumulate, globalNorm } from '../../methods/optim/gradient.ts';
import type { InputsOf, MeasuredAllocation, ModuleInput } from '../../methods/tuners/method-run.ts';
import { writesText } from '../../models/heads/registry.ts';
import { Network } from '../../models/nn/network.ts';
import type { Engine } from '../../program/engine.ts';
import { LABEL_ROWS } from '../../program/objectives/labeled-rows.ts';
import type { TaskModel } from '../../program/objectives/task-model.ts';
import { ALONE, type Communicator } from '../../program/parallel/communicator.ts';
import { dealNumbers } from '../../program/parallel/deal.ts';
import { Program } from '../../program/program.ts';
import type { LoadedModel } from '../../program/weight-memory.ts';
import { releasing } from '../../support/opened.ts';
import { UserError } from '../../support/user-error.ts';
import { differentiateStep } from './differentiate-step.ts';
import { StepBatches } from './step-batches.ts';
import type { TrainerInputs } from './trainer.ts';
import type { TrainerSettings } from './trainer-settings.ts';

/**
 * Does the measurement that the method needs before the first step. Undefined if it needs none. It may change the method's
 * tuner.
 *
 * @returns the decision, and the values before the first step
 */
export async function measureFirst(
  { method, engine, model, train, communicator }: TrainerInputs,
  settings: TrainerSettings,
  readerOf: LoadedModel['reader'],
): Promise<{ measured: MeasuredAllocation; values: Float32Array } | undefined> {
  if (!method.measurement) return undefined;
  const { seed } = settings;
  const { tuner, steps, settle } = method.measurement;
  const program = new Program(engine, model, tuner, { ...settings, communicator });
  const batches = new StepBatches(train, settings);
  const reader = readerOf(seed);
  return releasing(program, async () => {
    const gradientAt = async (values: Float32Array) => {
      const sum = new Float32Array(values.length);
      let usable = 0;
      for (let step = 0; step < steps; step++) {
        const { gradient } = await differentiateStep(program, values, batches.of(step), seed);
        // As in training, a step with a non-finite gradient is skipped.
        if (!Number.isFinite(globalNorm(gradient))) continue;
        accumulate(sum, gradient, 1);
        usable++;
      }
      if (usable === 0)
        throw new UserError({
          where: 'the measurement before training',
          fault: `found no finite gradient in ${steps} steps`,
          hint: 'Check the data, or train with method: lora.',
        });
      return sum.map((value) => value / usable);
    };
    const inputsOf: InputsOf = (paths) =>
      moduleInputs({ model, engine, communicator }, paths, listFeeds(batches));
    const measured = await settle(seed, tuner.initialValues(seed, reader), gradientAt, inputsOf);
    const values = method.tuner.initialValues(seed, reader);
    measured.begin?.(values);
    return { measured, values };
  });
}

/** Yields the run's batches without end. */
function* listFeeds(batches: StepBatches): Generator<Tensors> {
  for (let step = 0; ; step++) for (const { feeds } of batches.of(step)) yield feeds;
}

/** The parts of a run that {@link moduleInputs} needs. */
interface InputSource {
  model: TaskModel;
  engine: Engine;
  communicator?: Communicator;
}

/**
 * Yields the rows that linear modules of the base model get as input, batch by batch. Padding is left out.
 * For language models, tokens without a label are left out too, as in PEFT's EVA (`use_label_mask`).
 */
export async function* moduleInputs(
  { model, engine, communicator = ALONE }: InputSource,
  paths: readonly string[],
  feeds: Iterable<Tensors>,
): AsyncGenerator<ModuleInput[]> {
  const network = new Network(new Graph());
  model.buildLogits(network, () => ({ everyRow: true }));
  const groups = new Map<Value, string[]>();
  for (const path of paths) {
    const x = network.linearInputs.get(path)!;
    groups.set(x, [...(groups.get(x) ?? []), path]);
  }
  const outputs = Object.fromEntries([...groups].map(([x, [path]]) => [path, x]));
  const session = await engine.open(outputs);
  const isDecoder = writesText(model.headKind);
  try {
    for (const batch of feeds) {
      const results = await session.run(batch);
      const chosen: ModuleInput[] = [];
      for (const [x, readers] of groups) {
        const [, width] = results[readers[0]!]!.dims as [number, number];
        const data = results[readers[0]!]!.data as Float32Array;
        const rowsOf = String(x.shape[0]);
        const rows = rowsOf === 'batch' ? data : rowsAt(data, width, countedRows(rowsOf, batch, isDecoder));
        // All processes use the rows of the same process, because engines may round differently.
        const [shared] = await dealNumbers(communicator, 1, () => Promise.resolve(rows));
        chosen.push({ paths: readers, width, rows: shared! });
      }
      yield chosen;
    }
  } finally {
    await session.release();
  }
}

/**
 * Indices of the sequence-major rows to measure. They belong to real tokens; in language models, only to
 * labeled ones. The first token of a text counts if the second one does: nothing predicts it, so no label shows
 * whether it belongs to a prompt.
 */
function countedRows(rows: string, feeds: Tensors, isDecoder: boolean): number[] {
  const labeled = feeds[LABEL_ROWS]?.data;
  if (rows.includes('target')) return [...labeled!];
  const { data, dims } = feeds.attention_mask!;
  const [batch, length] = dims as [number, number];
  /** The number of a token's text in its row, 0 for padding. */
  const textOf = (row: number) => data[(row % batch) * length + Math.floor(row / batch)];
  const real = Array.from({ length: batch * length }, (_, row) => row).filter((row) => textOf(row) !== 0);
  const isEncoder = !labeled || 'decoder_input_ids' in feeds;
  if (isEncoder) return real;
  // In a decoder, a row predicts the next token, so the row after a label's row is counted.
  const tokens = new Set(Array.from(labeled, (row) => row + (isDecoder ? batch : 0)));
  const isFirst = (row: number) => row < batch || textOf(row - batch) !== textOf(row);
  return real.filter((row) => tokens.has(row) || (isDecoder && isFirst(row) && tokens.has(row + batch)));
}

function rowsAt(data: Float32Array, width: number, rows: readonly number[]): Float32Array {
  const chosen = new Float32Array(rows.length * width);
  rows.forEach((row, i) => {
    chosen.set(data.subarray(row * width, (row + 1) * width), i * width);
  });
  return chosen;
}
