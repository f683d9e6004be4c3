import type { LinearLoss } from '../baselines/linear-model.ts';
import { type LinearLayer, LinearProbe, type ProbeRows, STRENGTHS } from '../baselines/linear-probe.ts';
import { LABELS } from '../objectives/sequence-loss.ts';
import { dealNumbers } from '../parallel/deal.ts';
import { Program } from '../program/program.ts';
import { releasing } from '../support/opened.ts';
import { Random } from '../support/random.ts';
import { planEvaluation } from '../text/batches.ts';
import { trainedOutput } from '../tuners/trained-output.ts';
import type { SetUpRun } from './set-up-run.ts';

const BATCH = 64;
/** Number of parts of the rows. Each is held out once to choose the strength of the penalty. */
const FOLDS = 5;
/** Maximum cost of a fit (rows × features × outputs), which takes about a second. */
const MAX_WORK = 5e6;

/**
 * Fits the last layer of a head to its input features on the training rows. Fine-tuning then starts from this
 * linear probe (LP-FT, Kumar et al., ICLR 2022). Changes nothing if the layer has no trained weight and bias.
 */
export async function probeHead(loaded: SetUpRun, loss: LinearLoss, seed: number): Promise<SetUpRun> {
  const { inputs, settings, model } = loaded;
  const { method, engine, train, communicator } = inputs;
  const { layout } = method.tuner;
  const last = trainedOutput(model.linears, layout);
  if (!last) return loaded;
  const { width, outputs } = last;
  const most = Math.max(outputs, Math.floor(MAX_WORK / (width * outputs)));
  const rows = new Random(seed, 'probe').permutation(train.lengths.length).slice(0, most);
  const lengths = Int32Array.from(rows, (row) => train.lengths[row]!);
  const batches = planEvaluation({ lengths }, BATCH);
  const feeds = batches.map(
    (batch) =>
      train.batch(
        Int32Array.from(batch, (i) => rows[i]!),
        0,
      ).feeds,
  );
  const program = new Program(engine, inputs.model, method.tuner, { ...settings, communicator });
  return releasing(program, async () => {
    const found = await dealNumbers(program.communicator, batches.length, (number) =>
      program.features(inputs.values, feeds[number]!),
    );
    const features = new Float32Array(rows.length * width);
    const targets: number[] = [];
    for (const [number, batch] of batches.entries()) {
      const labels = feeds[number]![LABELS]!.data as Int32Array | Float32Array;
      const perRow = labels.length / batch.length;
      batch.forEach((i, row) => {
        features.set(found[number]!.subarray(row * width, (row + 1) * width), i * width);
        for (let k = 0; k < perRow; k++) targets[i * perRow + k] = labels[row * perRow + k]!;
      });
    }
    const probe = fittedProbe({ features, width, targets, outputs, loss });
    const values = inputs.values.slice();
    layout.read(values, last.weight).set(probe.weight);
    layout.read(values, last.bias).set(probe.bias);
    return { ...loaded, inputs: { ...inputs, values } };
  });
}

/** Fits a layer with the strength that predicts held-out rows best. */
function fittedProbe(rows: ProbeRows): LinearLayer {
  const probe = new LinearProbe(rows);
  const count = rows.features.length / rows.width;
  const folds = Array.from({ length: FOLDS }, (_, fold) =>
    Int32Array.from({ length: Math.ceil((count - fold) / FOLDS) }, (_, i) => fold + i * FOLDS),
  );
  const losses = probe.outOfFold(folds).map((scores) => probe.lossOf(scores));
  return probe.fit(STRENGTHS[losses.indexOf(Math.min(...losses))]!);
}
