import type { MethodRun } from '../../../methods/tuners/method-run.ts';
import type { ComparedRows, EvaluatedRows, ScoredRows } from '../../../program/example-set.ts';
import { STRENGTHS } from '../../../program/linear-probe.ts';
import { type LinearLayer, layerOutputs } from '../../../program/objectives/sentence-classifier.ts';
import type { LoadedModel } from '../../../program/weight-memory.ts';
import { scoreDefinition } from '../../../scores/metrics/scores.ts';
import { isObject } from '../../../support/options.ts';
import { chiefScore } from '../../../tasks/data-files.ts';
import { taskNamed } from '../../../tasks/registry.ts';
import { readMethod } from '../../../training/run/config/read-method.ts';
import { calibrates } from '../../../training/run/config/resolve-config.ts';
import type { RunConfig } from '../../../training/run/config/run-config.ts';
import { belowHead } from '../../../use/trained/bind-model.ts';
import type { RunBeginning } from '../begin-run.ts';
import { type SetUpRun, startValues } from '../set-up-run.ts';
import {
  bestVersions,
  type Choice,
  type Contender,
  type ContenderKind,
  choose,
  hasLowerLoss,
  type Yardstick,
} from './choose.ts';
import { numberRows } from './fit-rows.ts';
import { computing, type Tuned, tunedLayers } from './folds.ts';
import { constantLayer, type FrozenProbe, fitConstant, repeatBias, unitOutputs } from './frozen.ts';

/** Logarithm of the highest temperature. */
const HOTTEST = Math.log(50);
const GOLDEN = (Math.sqrt(5) - 1) / 2;
/** Precision of the logarithm. A probability changes by less than 1e-3 of itself. */
const PRECISION = 1e-3;

/**
 * The temperature T with which outputs / T have the lowest loss (Guo et al., ICML 2017), but at least 1: rows that are all
 * right would have the lowest loss with a certainty that no other row deserves. The loss is convex in 1 / T, so a
 * golden-section search finds it.
 *
 * @param lossAt returns the loss of outputs that are multiplied by a factor
 */
export function fitTemperature(lossAt: (factor: number) => number): number {
  const loss = (logarithm: number) => lossAt(Math.exp(-logarithm));
  let [low, high] = [0, HOTTEST];
  let [a, b] = [high - GOLDEN * (high - low), low + GOLDEN * (high - low)];
  let [ofA, ofB] = [loss(a), loss(b)];
  while (high - low > PRECISION) {
    if (ofA < ofB) {
      [high, b, ofB] = [b, a, ofA];
      a = high - GOLDEN * (high - low);
      ofA = loss(a);
    } else {
      [low, a, ofA] = [a, b, ofB];
      b = low + GOLDEN * (high - low);
      ofB = loss(b);
    }
  }
  return low === 0 ? 1 : Math.exp((low + high) / 2);
}

/** A layer whose outputs are divided by a temperature. */
function cooled({ weight, bias }: LinearLayer, temperature: number): LinearLayer {
  return { weight: weight.map((x) => x / temperature), bias: bias.map((x) => x / temperature) };
}

/** The result of a run. */
export interface RunResult extends Tuned {
  kind: ContenderKind;
  model: LoadedModel;
  /** The layer on the model's vectors, for a model of sentence vectors. */
  layer?: LinearLayer | undefined;
  /** The `data` section with which the result reads rows. */
  data: RunConfig['data'];
}

/** A run's result, and its predictions of rows that it was not trained on. */
export interface Conclusion {
  result: RunResult;
  rows: ScoredRows;
  /** The outputs of each row, calibrated. Empty arrays for rows that are not judged. */
  outputs: readonly Float32Array[];
  judged: Int32Array;
  choice: Choice;
  contenders: readonly Contender[];
  /** Whether the outputs are others than those of the last evaluation. */
  isRescored: boolean;
  /** Whether the loss of the result is lower than a constant's by more than a standard error. Undefined without a constant. */
  beatsConstant?: boolean;
}

/**
 * Chooses what a run leaves behind, and calibrates its outputs.
 *
 * @param started the run before its first step
 * @param outOfFold the fine-tuned model's outputs in a cross-validation; without them, the validation set judges
 * @returns undefined if no rows can judge
 */
export async function conclude(
  run: RunBeginning,
  started: SetUpRun,
  tuned: Tuned,
  probe: FrozenProbe,
  outOfFold: readonly (readonly Float32Array[])[] | undefined,
): Promise<Conclusion | undefined> {
  const train = started.rows as EvaluatedRows;
  const rows = outOfFold ? train : started.validationRows;
  if (!rows) return undefined;
  // Other validation sets keep the scores of the last evaluation, so the result must be its model.
  const isAlone = run.rows.validation.length < 2;
  const fittedLayers = started.model.layer && (await fitLayers(started, train, tuned));
  const layers = isAlone ? fittedLayers : fittedLayers?.slice(0, 1);
  const contenders: readonly Contender[] = outOfFold
    ? [
        { kind: 'constant', versions: [probe.constant] },
        { kind: 'probe', versions: probe.outOfFold },
        { kind: 'tuned', versions: outOfFold },
      ]
    : await onValidation(run.config, started, tuned, probe, layers);
  const floor = run.config.training.floor && isAlone && canKeepProbe(run, started);
  const yardstick = chooseYardstick(run.config, rows);
  const choice = chooseAmong(contenders, yardstick, floor);
  const { kind, versions } = contenders[choice.chosen]!;
  const version = choice.versions[choice.chosen]!;
  const outputs = versions[version]!;
  const judged = numberRows(rows).filter((row) => outputs[row]!.length > 0);
  const canCool =
    kind === 'probe' || layers !== undefined || outputLayer(started.model, tuned.method) !== undefined;
  const isCooled = (floor || (isAlone && calibrates(run.config))) && canCool && kind !== 'constant';
  const temperature = isCooled && rows.targets.loss !== 'squared' ? temperatureOn(rows, outputs, judged) : 1;
  const strength = outOfFold ? STRENGTHS[version]! : probe.strength;
  const layer = kind === 'tuned' ? layers?.[version] : await frozenLayer(kind, train, probe, strength);
  const cool = outputs.map((row) => scaled(row, 1 / temperature));
  const [constant] = contenders[0]!.versions;
  const cooledLayer = layer && cooled(layer, temperature);
  return {
    result: await summarizeResult(run, started, tuned, kind, cooledLayer, temperature),
    rows,
    judged,
    choice,
    contenders,
    isRescored: floor || isCooled || layer !== undefined || outOfFold !== undefined,
    outputs: cool,
    beatsConstant: kind !== 'constant' && hasLowerLoss(cool, constant!, choice.rows, yardstick),
  };
}

/**
 * Chooses between the fine-tuned model and the model before training, for tasks that compare rows. Only a better score
 * is a reason for fine-tuning.
 *
 * @param outOfFold the fine-tuned model's outputs in a cross-validation; without them, the validation set judges
 */
export async function concludeCompared(
  run: RunBeginning,
  started: SetUpRun,
  tuned: Tuned,
  rows: ComparedRows,
  outOfFold: readonly (readonly Float32Array[])[] | undefined,
): Promise<Conclusion> {
  const all = Int32Array.from(rows.groups.keys());
  const outputsOf = async (values: Tuned) => [
    await computing(started, values, (model) => rows.outputs(model, all)),
  ];
  const contenders: readonly Contender[] = [
    { kind: 'start', versions: await outputsOf(started.inputs) },
    { kind: 'tuned', versions: outOfFold ?? (await outputsOf(tuned)) },
  ];
  const yardstick = { ...chooseYardstick(run.config, rows), loss: () => 0, prefersSimpler: true };
  const { floor } = run.config.training;
  const choice = chooseAmong(contenders, yardstick, floor);
  const { kind, versions } = contenders[choice.chosen]!;
  const [outputs] = versions as [Float32Array[]];
  const { method, values } = kind === 'tuned' ? tuned : started.inputs;
  return {
    result: { kind, model: started.model, data: run.data, method, values },
    rows,
    judged: all.filter((row) => outputs[row]!.length > 0),
    choice,
    contenders,
    isRescored: floor || outOfFold !== undefined,
    outputs,
  };
}

/**
 * Whether a probe can be a run's result. Without sentence vectors, an adapter that is continued has no place for it. A
 * probe of the head's own features needs a weight and a bias there.
 */
function canKeepProbe({ start, config, data }: RunBeginning, { model, inputs }: SetUpRun): boolean {
  if (model.layer !== undefined) return true;
  if (start !== undefined) return false;
  const isOfHead = taskNamed(config.task).training.probing?.(data, model) === data;
  return !isOfHead || outputLayer(model, inputs.method)?.bias !== undefined;
}

/** The result of a run before its first step: the linear probe. Undefined if it has no place for one. */
export async function probeResult(
  run: RunBeginning,
  started: SetUpRun,
  probe: FrozenProbe,
): Promise<RunResult | undefined> {
  if (!canKeepProbe(run, started)) return undefined;
  const [layer] = await probe.fitted.fit([probe.strength]);
  return summarizeResult(run, started, started.inputs, 'probe', layer, 1);
}

/** The result of a run without rows that judge: the fine-tuned model. */
export async function unjudged(run: RunBeginning, started: SetUpRun, tuned: Tuned): Promise<RunResult> {
  const { model, rows } = started;
  const [layer] = model.layer && rows ? await fitLayers(started, rows, tuned) : [];
  return { kind: 'tuned', model, layer, data: run.data, ...tuned };
}

/** Without a floor, the fine-tuned model is the result, and the others are only compared with it. */
function chooseAmong(contenders: readonly Contender[], yardstick: Yardstick, floor = false): Choice {
  if (floor) return choose(contenders, yardstick);
  const [others, tuned] = [contenders.slice(0, -1), contenders.slice(-1)];
  const { rows, versions, optimism } = choose(tuned, yardstick);
  return {
    chosen: others.length,
    versions: [...bestVersions(others, yardstick, rows), ...versions],
    optimism,
    rows,
  };
}

function temperatureOn(rows: EvaluatedRows, outputs: readonly Float32Array[], judged: Int32Array): number {
  return fitTemperature((factor) =>
    Number(
      rows.scores(
        outputs.map((row) => scaled(row, factor)),
        judged,
      ).eval_loss,
    ),
  );
}

/** How a run's contenders are compared: by its chief score, or if rows have no such score, by the loss. */
function chooseYardstick(config: RunConfig, rows: ScoredRows): Yardstick {
  const { score } = chiefScore(config);
  const sign = (name: string) => (scoreDefinition(name)?.lessIsBetter ? -1 : 1);
  return {
    groups: rows.groups,
    score(outputs, of) {
      const scores: Partial<Record<string, number>> = rows.scores(outputs, of);
      const found = scores[`eval_${score}`];
      return found === undefined ? -scores.eval_loss! : sign(score) * found;
    },
    loss: (outputs, row) => rows.scores(outputs, Int32Array.of(row)).eval_loss!,
  };
}

/** The contenders' outputs for the validation set, of models that saw all training rows. */
async function onValidation(
  config: RunConfig,
  started: SetUpRun,
  tuned: Tuned,
  probe: FrozenProbe,
  layers: readonly LinearLayer[] | undefined,
): Promise<Contender[]> {
  const [train, rows] = [started.rows as EvaluatedRows, started.validationRows as EvaluatedRows];
  const all = numberRows(rows);
  const [layer] = await probe.fitted.fit([probe.strength]);
  const bias = fitConstant(train, numberRows(train));
  const frozen = await computing(started, started.inputs, (model) => rows.features(model, all));
  const ofProbe = frozen.map((features) => unitOutputs(layer!, features));
  const versions = await computing(started, tuned, async (model) => {
    if (!layers) return [await rowsOfHead(started, chiefScore(config)).outputs(model, all)];
    const features = await rows.features(model, all);
    return layers.map((layer) => features.map((row) => layerOutputs(layer, row)));
  });
  return [
    { kind: 'constant', versions: [ofProbe.map(({ length }) => repeatBias(bias, length))] },
    { kind: 'probe', versions: [ofProbe] },
    { kind: 'tuned', versions },
  ];
}

/** The rows of the validation set as the run's own head reads them. */
function rowsOfHead({ inputs, validationRows }: SetUpRun, { set }: { set: number }): EvaluatedRows {
  return inputs.validation?.parts[set]?.rows ?? (validationRows as EvaluatedRows);
}

/** The layers on the fine-tuned model's features of all training rows. */
function fitLayers(started: SetUpRun, train: EvaluatedRows, tuned: Tuned): Promise<LinearLayer[]> {
  return computing(started, tuned, (model) => tunedLayers(started, train, model, numberRows(train)));
}

/** The final layer of a probe, or of a constant, fitted to all training rows. */
async function frozenLayer(
  kind: ContenderKind,
  train: EvaluatedRows,
  { fitted }: FrozenProbe,
  strength: number,
): Promise<LinearLayer> {
  const [layer] = await fitted.fit([strength]);
  if (kind === 'probe') return layer!;
  return constantLayer(fitConstant(train, numberRows(train)), layer!.weight.length / layer!.bias.length);
}

/**
 * The result of a contender. A probe or a constant leaves the model as it was, with its layer in the place that the
 * task has for one: outside of the graph, in the head, or in a model of sentence vectors instead of the head.
 */
async function summarizeResult(
  run: RunBeginning,
  started: SetUpRun,
  tuned: Tuned,
  kind: ContenderKind,
  layer: LinearLayer | undefined,
  temperature: number,
): Promise<RunResult> {
  const { model, inputs, settings } = started;
  const { data, config } = run;
  const frozen: Tuned = { method: inputs.method, values: inputs.values };
  if (model.layer) return { kind, model, layer, data, ...(kind === 'tuned' ? tuned : frozen) };
  if (kind === 'tuned') {
    const values = tuned.values.slice();
    const parts = temperature === 1 ? undefined : outputLayer(model, tuned.method);
    for (const name of [parts?.weight, parts?.bias]) {
      if (name === undefined) continue;
      const part = tuned.method.tuner.layout.read(values, name);
      for (let i = 0; i < part.length; i++) part[i]! /= temperature;
    }
    return { kind, model, data, ...tuned, values };
  }
  const probing = taskNamed(config.task).training.probing?.(data, model);
  if (probing === data) {
    const values = frozen.values.slice();
    const { weight, bias } = outputLayer(model, frozen.method)!;
    frozen.method.tuner.layout.read(values, weight).set(layer!.weight);
    frozen.method.tuner.layout.read(values, bias!).set(layer!.bias);
    return { kind, model, data, ...frozen, values };
  }
  const ofVectors = { ...data, ...probing } as RunConfig['data'];
  const build = taskNamed(config.task).build(run.labels, ofVectors);
  const vectors = belowHead(model, build(model.definition, model.config));
  const below = { ...run, config: namedBelowHead(config, model, vectors) };
  return {
    kind,
    model: vectors,
    layer,
    data: ofVectors,
    ...startValues(below, vectors, settings.totalSteps),
  };
}

/** A config whose method names layers by their paths in the model below the head, which lack a prefix such as `bert.`. */
function namedBelowHead(config: RunConfig, { linears }: LoadedModel, below: LoadedModel): RunConfig {
  const names = new Map<string, string>();
  for (const { path } of linears) {
    const same = below.linears.find((layer) => path.endsWith(`.${layer.path}`));
    if (same) names.set(path, same.path);
  }
  const renamed = (value: unknown): unknown => {
    if (typeof value === 'string') return names.get(value) ?? value;
    if (Array.isArray(value)) return value.map(renamed);
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [names.get(key) ?? key, renamed(inner)]),
    );
  };
  return { ...config, [config.method]: renamed(readMethod(config).settings) };
}

/**
 * The parameters of the layer that produces the logits: its weight, and its bias if it has one. Undefined if changing them
 * does not change the logits alike, because one is frozen or an adapter adds to the layer.
 */
function outputLayer(
  { linears, parameters }: LoadedModel,
  { tuner }: MethodRun,
): { weight: string; bias?: string | undefined } | undefined {
  const path = linears.at(-1)?.path;
  const [weight, bias] = ['weight', 'bias']
    .map((name) => `${path}.${name}`)
    .filter((name) => parameters.has(name));
  const isTrained = (name: string | undefined) => name === undefined || tuner.layout.find(name) !== undefined;
  if (!weight?.endsWith('.weight') || !isTrained(weight) || !isTrained(bias)) return undefined;
  return tuner.sites.some((site) => site.path === path) ? undefined : { weight, bias };
}

function scaled(outputs: Float32Array, factor: number): Float32Array {
  return outputs.map((output) => output * factor);
}
