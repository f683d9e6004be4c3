import type { MethodRun } from '../../../methods/tuners/method-run.ts';
import type { EvaluatedRows, ScoredRows } from '../../../program/example-set.ts';
import { STRENGTHS } from '../../../program/linear-probe.ts';
import type { LinearLayer } from '../../../program/objectives/sentence-classifier.ts';
import type { LoadedModel } from '../../../program/weight-memory.ts';
import { scoreDefinition } from '../../../scores/metrics/scores.ts';
import { joinedFloats } from '../../../support/arrays.ts';
import { isObject } from '../../../support/options.ts';
import { chiefScore } from '../../../tasks/data-files.ts';
import { taskNamed } from '../../../tasks/registry.ts';
import { readMethod } from '../../../training/run/config/read-method.ts';
import { calibrates } from '../../../training/run/config/resolve-config.ts';
import type { RunConfig } from '../../../training/run/config/run-config.ts';
import { belowHead } from '../../../use/trained/bind-model.ts';
import type { Judge } from '../encode-run.ts';
import type { Conclusion, FrozenProbe, Run, RunResult, Tuned } from '../run.ts';
import { beginTraining, computing, startValues } from '../set-up-run.ts';
import { bestVersions, type Choice, type Contender, choose, hasLowerLoss, type Yardstick } from './choose.ts';
import { constantLayer, fitConstant, numberRows, repeatBias, unitOutputs } from './fit-rows.ts';
import { listSplits, predictHeld, tunedLayers } from './folds.ts';

/**
 * Passes the probe on before the first step, and keeps the features of a cross-validation, so that a resumed run does not
 * compute them again.
 */
export async function shareProbe(run: Run): Promise<void> {
  const { probe, folds, store, examples } = run;
  if (!probe) return;
  const untuned = store.probed && (await untunedResult(run, probe));
  if (untuned) await store.probed?.(run, untuned);
  if (examples.judge?.folds && !folds.features) await folds.keepFeatures(joinedFloats(probe.features));
}

/** Chooses what a run leaves behind, unless it was stopped. */
export async function conclude(run: Run): Promise<void> {
  if (run.trained.reason === 'stopped') return;
  const tuned = { method: run.training.inputs.method, values: run.trainer.values };
  const layers = run.base.model.layer && run.examples.learned && (await fitLayers(run, tuned));
  const { judge } = run.examples;
  // Rows that are compared with each other choose only if they are asked to.
  const isChosen = judge && (judge.probed || judge.folds || run.files.config.training.floor);
  run.conclusion = isChosen ? await chooseResult(run, judge, tuned, layers) : undefined;
  const { data } = run.files;
  const unjudged: RunResult = { kind: 'tuned', model: run.base.model, layer: layers?.[0], data, ...tuned };
  run.result = run.conclusion?.result ?? unjudged;
}

/**
 * Chooses among the contenders, and calibrates the outputs of the chosen one.
 *
 * @param fitted the layers on the fine-tuned model's features of all training rows
 */
async function chooseResult(
  run: Run,
  judge: Judge,
  tuned: Tuned,
  fitted: readonly LinearLayer[] | undefined,
): Promise<Conclusion> {
  const { config, rows: read } = run.files;
  const start = beginTraining(run, run.examples.train).inputs;
  const { probed } = judge;
  // Other validation sets keep the scores of the last evaluation, so the result must be its model.
  const isAlone = read.validation.length < 2;
  const layers = isAlone ? fitted : fitted?.slice(0, 1);
  const contenders = probed
    ? await listContenders(run, probed, start, tuned, layers)
    : await listCompared(run, start, tuned);
  const floor = config.training.floor && (!probed || (isAlone && canKeepProbe(run, start.method)));
  const rows = probed ?? judge.own;
  const yardstick = chooseYardstick(config, rows, probed !== undefined);
  const choice = chooseAmong(contenders, yardstick, floor);
  const { kind, versions } = contenders[choice.chosen]!;
  const version = choice.versions[choice.chosen]!;
  const outputs = versions[version]!;
  const judged = Int32Array.from(outputs.keys()).filter((row) => outputs[row]!.length > 0);
  const canCool =
    kind === 'probe' || layers !== undefined || outputLayer(run.base.model, tuned.method) !== undefined;
  const isCooled =
    (floor || (isAlone && calibrates(config))) && canCool && kind !== 'constant' && probed !== undefined;
  const temperature =
    isCooled && probed.targets.loss !== 'squared' ? temperatureOn(rows, outputs, judged) : 1;
  const strength = run.outOfFold ? STRENGTHS[version]! : run.probe?.strength;
  const layer = kind === 'tuned' ? layers?.[version] : await frozenLayer(run, kind, strength);
  const cool = outputs.map((row) => scaled(row, 1 / temperature));
  const [constant] = contenders[0]!.versions;
  return {
    result: await summarizeResult(run, start, tuned, {
      kind,
      layer: layer && cooled(layer, temperature),
      temperature,
    }),
    rows,
    judged,
    choice,
    contenders,
    isRescored: floor || isCooled || layer !== undefined || run.outOfFold !== undefined,
    outputs: cool,
    ...(probed && {
      beatsConstant: kind !== 'constant' && hasLowerLoss(cool, constant!, choice.rows, yardstick),
    }),
  };
}

/** A constant, a linear probe and the fine-tuned model, by their outputs for rows that they did not learn from. */
async function listContenders(
  run: Run,
  rows: EvaluatedRows,
  start: Tuned,
  tuned: Tuned,
  layers: readonly LinearLayer[] | undefined,
): Promise<Contender[]> {
  const { learned } = run.examples;
  const splits = listSplits(run.examples);
  const constant: Float32Array[] = Array.from(rows.groups, () => new Float32Array());
  for (const { kept, held } of splits) {
    const bias = fitConstant(learned!, kept);
    for (const row of held) constant[row] = repeatBias(bias, rows.sizeOf(row));
  }
  const ofProbe = async () => {
    const layer = await frozenLayer(run, 'probe', run.probe!.strength);
    const features = await computing(run, start, (model) => rows.features(model, splits[0]!.held));
    return [features.map((row) => unitOutputs(layer!, row))];
  };
  return [
    { kind: 'constant', versions: [constant] },
    { kind: 'probe', versions: run.outOfFold ? run.probe!.outOfFold : await ofProbe() },
    { kind: 'tuned', versions: run.outOfFold ?? (await predictHeld(run, tuned, splits[0]!, layers)) },
  ];
}

/**
 * The model before training and the fine-tuned model, for tasks that compare rows. Only a better score is a reason for
 * fine-tuning.
 */
async function listCompared(run: Run, start: Tuned, tuned: Tuned): Promise<Contender[]> {
  const { own } = run.examples.judge!;
  const split = { kept: new Int32Array(), held: Int32Array.from(own.groups.keys()) };
  return [
    { kind: 'start', versions: await predictHeld(run, start, split) },
    { kind: 'tuned', versions: run.outOfFold ?? (await predictHeld(run, tuned, split)) },
  ];
}

/**
 * Whether a probe can be a run's result. Without sentence vectors, an adapter that is continued has no place for it. A
 * probe of the head's own features needs a weight and a bias there.
 */
function canKeepProbe({ files: { start, config, data }, base: { model } }: Run, method: MethodRun): boolean {
  if (model.layer !== undefined) return true;
  if (start !== undefined) return false;
  const probing = taskNamed(config.task).training.probing?.(data, model);
  return !probing?.isOfHead || outputLayer(model, method)?.bias !== undefined;
}

/** The result of a run before its first step: the linear probe. Undefined if it has no place for one. */
async function untunedResult(run: Run, { strength }: FrozenProbe): Promise<RunResult | undefined> {
  const start = beginTraining(run, run.examples.train).inputs;
  if (!canKeepProbe(run, start.method)) return undefined;
  const layer = await frozenLayer(run, 'probe', strength);
  return summarizeResult(run, start, start, { kind: 'probe', layer, temperature: 1 });
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

function temperatureOn(rows: ScoredRows, outputs: readonly Float32Array[], judged: Int32Array): number {
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
function chooseYardstick(config: RunConfig, rows: ScoredRows, hasLosses: boolean): Yardstick {
  const { score } = chiefScore(config);
  const sign = (name: string) => (scoreDefinition(name)?.lessIsBetter ? -1 : 1);
  return {
    groups: rows.groups,
    chief: score,
    scores(outputs, of) {
      const scores: Record<string, number> = rows.scores(outputs, of);
      const names = Object.keys(scores).map((key) => key.replace(/^eval_/, ''));
      // Others, such as the loss and the calibration error, are those of calibrated outputs.
      const chosen = names.filter((name) => name === score || sign(name) > 0);
      const signed = chosen.map((name) => [name, sign(name) * scores[`eval_${name}`]!]);
      return { [score]: -scores.eval_loss!, ...Object.fromEntries(signed) };
    },
    // Rows that are compared with each other have no losses of their own. There, only a better score is a reason for
    // fine-tuning.
    loss: (outputs, row) => (hasLosses ? rows.scores(outputs, Int32Array.of(row)).eval_loss! : 0),
    prefersSimpler: !hasLosses,
  };
}

/** The layers on the fine-tuned model's features of all training rows. */
function fitLayers(run: Run, tuned: Tuned): Promise<LinearLayer[]> {
  return computing(run, tuned, (model) => tunedLayers(run, model, numberRows(run.examples.learned!)));
}

/** The final layer of a probe, or of a constant, fitted to all training rows. Undefined for other contenders. */
async function frozenLayer(
  { probe, examples: { learned } }: Run,
  kind: Contender['kind'],
  strength: number | undefined,
): Promise<LinearLayer | undefined> {
  if (!probe || strength === undefined || kind === 'start') return undefined;
  const [layer] = await probe.fitted.fit([strength]);
  if (kind === 'probe') return layer!;
  return constantLayer(
    fitConstant(learned!, numberRows(learned!)),
    layer!.weight.length / layer!.bias.length,
  );
}

/**
 * The result of a contender. A probe or a constant leaves the model as it was, with its layer in the place that the
 * task has for one: outside of the graph, in the head, or in a model of sentence vectors instead of the head.
 */
async function summarizeResult(
  { files, base: { model }, training }: Run,
  start: Tuned,
  tuned: Tuned,
  { kind, layer, temperature }: Pick<RunResult, 'kind' | 'layer'> & { temperature: number },
): Promise<RunResult> {
  const { data, config, labels } = files;
  const frozen: Tuned = { method: start.method, values: start.values };
  if (model.layer || kind === 'start')
    return { kind, model, layer, data, ...(kind === 'tuned' ? tuned : frozen) };
  if (kind === 'tuned') return { kind, model, data, ...cooledHead(model, tuned, temperature) };
  const probing = taskNamed(config.task).training.probing?.(data, model);
  if (probing?.isOfHead) {
    const values = frozen.values.slice();
    const { weight, bias } = outputLayer(model, frozen.method)!;
    frozen.method.tuner.layout.read(values, weight).set(layer!.weight);
    frozen.method.tuner.layout.read(values, bias!).set(layer!.bias);
    return { kind, model, data, ...frozen, values };
  }
  const ofVectors = { ...data, ...probing?.reading } as RunConfig['data'];
  const build = taskNamed(config.task).build(labels, ofVectors);
  const vectors = belowHead(model, build(model.definition, model.config));
  const below = { ...files, config: namedBelowHead(config, model, vectors) };
  const { totalSteps } = training.settings;
  return { kind, model: vectors, layer, data: ofVectors, ...startValues(below, vectors, totalSteps) };
}

/** Values with which the head's outputs are divided by a temperature. */
function cooledHead(model: LoadedModel, { method, values }: Tuned, temperature: number): Tuned {
  const cool = values.slice();
  const parts = temperature === 1 ? undefined : outputLayer(model, method);
  for (const name of [parts?.weight, parts?.bias]) {
    if (name === undefined) continue;
    const part = method.tuner.layout.read(cool, name);
    for (let i = 0; i < part.length; i++) part[i]! /= temperature;
  }
  return { method, values: cool };
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
