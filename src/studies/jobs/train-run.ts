import type { GraphNode, Value } from '../../engine/graph/graph.ts';
import { reachable } from '../../engine/graph/print.ts';
import { adapterParameters, type Tuner } from '../../methods/tuners/tuner.ts';
import { ENCODER_STATES } from '../../models/nn/network.ts';
import { Contents } from '../../program/modalities/contents.ts';
import type { PartRow } from '../../program/modalities/modality.ts';
import { inNetwork, type TaskModel } from '../../program/objectives/task-model.ts';
import type { Processes } from '../../program/parallel/communicator.ts';
import { together } from '../../program/parallel/together.ts';
import { trainingNetwork } from '../../program/training-graph.ts';
import type { LoadedModel } from '../../program/weight-memory.ts';
import { addUp } from '../../support/numbers.ts';
import { releasing } from '../../support/opened.ts';
import { lastPart } from '../../support/text.ts';
import { scorePrefixes } from '../../tasks/data-files.ts';
import { taskNamed } from '../../tasks/registry.ts';
import { readMethod } from '../../training/run/config/read-method.ts';
import { describeChosen } from '../../training/run/config/resolve-config.ts';
import type { ParsedConfig } from '../../training/run/config/run-config.ts';
import type { EventOf } from '../../training/run/events.ts';
import type { ToBeat } from '../../training/run/verdict.ts';
import type { ReadRun } from './begin-run.ts';
import { conclude, shareProbe } from './contenders/conclude.ts';
import { crossValidate } from './contenders/folds.ts';
import { fitLayerInLoss, fitProbe, probeScore } from './contenders/frozen.ts';
import { fitBaselines } from './encode-run.ts';
import type { RunMachine } from './machine.ts';
import {
  encodeRows,
  measure,
  openBase,
  prepareRows,
  readFiles,
  resume,
  startTrainer,
  UNKNOWN_STEPS,
} from './open-run.ts';
import { countAhead } from './plan/expected-seconds.ts';
import { Run, type RunSurroundings } from './run.ts';
import { Stopped, startValues } from './set-up-run.ts';
import { withTeacher } from './teach-rows.ts';
import { toBeat } from './verdict/diagnose.ts';
import { finish, judge } from './verdict/judge-run.ts';

/** The stages of a run, in their order. Each works on what those before it have found. The result `over` ends the run. */
export const STAGES: readonly ((run: Run) => Promise<unknown>)[] = [
  readFiles,
  resume,
  openBase,
  holdStates,
  prepareRows,
  askTeacher,
  encodeRows,
  fitProbe,
  fitLayerInLoss,
  measure,
  startTrainer,
  announce,
  shareProbe,
  crossValidate,
  train,
  conclude,
  judge,
  finish,
];

/** Lets the teacher answer all rows, unless the run has kept its answers. */
async function askTeacher(run: Run): Promise<void> {
  const { files, machine, store } = run;
  const { config, labels, rows } = files;
  const { teaching } = taskNamed(config.task);
  if (!teaching || teaching.sources(config.data).teacher === undefined) return;
  const onProgress = run.progress('preparation');
  const kept = store.rows?.(run);
  const sets = [rows.train, ...rows.validation.map((set) => set.rows)];
  const answers = await Promise.all(sets.map((_, i) => kept?.read(`teacher-${i}`)));
  if (!answers.every(Boolean))
    await withTeacher(machine, files, async (model) => {
      for (const [i, set] of sets.entries()) {
        if (answers[i]) continue;
        const inputs = teaching.inputs(set);
        const found: Float32Array[] = [];
        for await (const answer of model.predict(inputs)) {
          found.push(teaching.vector(answer, labels));
          onProgress((i + found.length / inputs.length) / sets.length);
        }
        if (run.isFirst) await kept?.write(`teacher-${i}`, found);
        answers[i] = found;
      }
    });
  const [train, ...validation] = sets.map((set, i) => teaching.withAnswers(set, answers[i]!));
  const sources = rows.validation.map((set, i) => ({ ...set, rows: validation[i] }));
  run.files = { ...files, rows: { ...rows, train, validation: sources } };
}

/**
 * Does a whole training in this thread: reads and loads everything, trains, and stores the result. Nothing is stored
 * before everything is loaded. If the run is already finished, it ends as before.
 */
export async function trainRun(
  machine: RunMachine,
  config: ParsedConfig,
  surroundings: RunSurroundings,
): Promise<Run> {
  const run = new Run(machine, config, surroundings);
  try {
    for (const stage of STAGES) if ((await hearStop(run, stage)) === 'over') break;
    return run;
  } finally {
    await run.close();
  }
}

/** Runs a stage. If a stop ends it, the later stages end the run with its newest checkpoint. */
export async function hearStop(run: Run, stage: (typeof STAGES)[number]): Promise<unknown> {
  try {
    return await stage(run);
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    if (run.trained) run.trained = { ...run.trained, reason: 'stopped' };
    return undefined;
  }
}

/** Trains from the first step, or from that of the checkpoint, to the last. */
export async function train(run: Run): Promise<void> {
  run.trained = await run.trainer.run();
}

/** Opens the training session, begins the run's files, and reports the first events. */
async function announce(run: Run): Promise<void> {
  run.baselines = await fitBaselines(run.files, run.examples, run.prepared);
  await run.trainer.prepare();
  await together(run.communicator, () => {
    if (!run.isFirst) return;
    run.store.begin?.(run);
    report(run);
  });
}

function report(run: Run): void {
  const { files, examples, probe, baselines, measured, planned, saved, trainer, processes } = run;
  const { config } = files;
  const score = examples.judge?.folds && probe && probeScore(examples, probe, config);
  run.emit(startEvent(run, toBeat(config, baselines, score)));
  if (measured) run.emit({ type: 'allocation', ...measured.allocation });
  const { totalSteps } = run.training.settings;
  if (planned)
    run.notice(
      `The run continues to step ${totalSteps}. Ranks stay as planned; the learning rate follows the new length.`,
      trainer.step,
    );
  if (!saved) for (const message of startNotices(run)) run.notice(message, 0);
  const message = describeProcesses(processes);
  if (message) run.notice(message, saved?.state.step ?? 0);
}

/** The event before the first step. */
function startEvent(run: Run, to_beat: readonly ToBeat[]): EventOf<'start'> {
  const { settings, inputs } = run.training;
  const { config, labels, chosen } = run.files;
  const ahead = estimateAhead(run);
  const { train, validation, values, method } = inputs;
  const averages = Object.entries(taskNamed(config.task).classes?.averages?.(labels) ?? {});
  const named = scorePrefixes(config.data.validation).flatMap((prefix) =>
    averages.map(([name, average]) => [prefix + name, average]),
  );
  return {
    type: 'start',
    step: run.trainer.step,
    total_steps: settings.totalSteps,
    num_train_epochs: settings.totalSteps / settings.stepsPerEpoch,
    train_examples: train.lengths.length,
    eval_examples: validation?.count ?? 0,
    truncated: train.truncated + addUp(validation?.parts ?? [], ({ examples }) => examples.truncated),
    trainable_parameters: values.length,
    adapter_parameters: adapterParameters(method.tuner),
    ranks: method.ranks(),
    ...(named.length > 0 && { averages: Object.fromEntries(named) }),
    ...(to_beat.length > 0 && { to_beat: [...to_beat] }),
    metric_for_best_model: config.training.metric_for_best_model,
    method: config.method,
    device: config.device,
    training: { ...config.training },
    ...(chosen.length > 0 && { chosen: chosen.map(describeChosen) }),
    ...(ahead.foldSteps > 0 && { fold_steps: ahead.foldSteps }),
    ...(ahead.seconds !== undefined && { expected_seconds: ahead.seconds }),
    startup_ms: Math.round(run.machine.startupMs()),
  };
}

/** The steps of a cross-validation, and the estimated seconds of the whole run, from the time that features took. */
function estimateAhead(run: Run): { foldSteps: number; seconds?: number | undefined } {
  const { foldSteps, passes } = countAhead(run);
  const perPass = run.probe?.secondsPerEpoch;
  return { foldSteps, seconds: foldSteps > 0 && perPass !== undefined ? passes * perPass : undefined };
}

/** Notices for the user before the first step. */
function startNotices({ files, base, training: { inputs } }: Run): string[] {
  // With chosen defaults, the schedule of ranks is one of them.
  const isChosen = files.config.defaults === 'chosen';
  const assumed = isChosen ? [] : [inputs.method.budget?.assumed ?? inputs.method.assumed ?? []].flat();
  const hasOthers = files.rows.validation.length > 1 && files.config.training.floor;
  const ignored = hasOthers
    ? [
        'training.floor has no effect with several validation sets, because all of them score the fine-tuned model.',
      ]
    : [];
  return [...files.notices, ...originNotices(files, base.model), ...assumed, ...ignored];
}

function originNotices({ config, start }: ReadRun, { initialized }: LoadedModel): string[] {
  if (config.model_init === 'random') return ['All weights are new (model_init: random).'];
  if (!start) {
    return initialized.length > 0 ? [newModules(initialized)] : [];
  }
  const base = start.stored.baseModel;
  const isOther = base && lastPart(base) !== lastPart(config.model);
  return [
    ...(readMethod(config).definition.continues?.notices ?? []),
    ...(isOther
      ? [`The adapter was trained with ${base}, this run uses ${config.model}. They must be the same model.`]
      : []),
  ];
}

/** The notice about modules that the checkpoint lacks. They get new weights and are trained in full. */
function newModules(parameters: readonly string[]): string {
  const modules = [...new Set(parameters.map((path) => path.split('.').slice(0, -1).join('.')))];
  const start = modules.length === 1 ? 'a new one is' : 'new ones are';
  return `The base model has no ${modules.join(', ')}, so ${start} trained (expected).`;
}

/**
 * Describes the run's processes and threads, so that users notice if processes are bound to few cores.
 * Undefined for a single process.
 */
function describeProcesses({ communicator: { size, hosts }, threads }: Processes): string | undefined {
  if (size === 1) return undefined;
  return `${size} processes on ${[...new Set(hosts)].join(', ')}; process 0 uses ${threads} threads`;
}

/** States that need more memory are computed in every step. */
const MAX_BYTES = 2 * 2 ** 30;

/**
 * Computes the states of an encoder once for each file if the method leaves the encoder as it is. Later stages compute the
 * decoder alone.
 */
async function holdStates(run: Run): Promise<void> {
  const { files, base, communicator, host } = run;
  const { modality, family, rows } = files;
  const { content } = family.config;
  if (!content || !(modality instanceof Contents)) return;
  const states = frozenStates(
    base.model,
    startValues(files, base.model, UNKNOWN_STEPS).method.tuner,
    content.input,
  );
  if (!states) return;
  const clips = [rows.train, ...rows.validation.map((set) => set.rows)].flat() as PartRow[];
  const distinct = [...new Map(clips.map((clip) => [modality.item(clip).digest, clip]))];
  const onProgress = run.progress('preparation');
  const known = new Map<string, Float32Array>();
  const session = await base.engine.open({ states });
  const isAlone = communicator.size === 1;
  const shape = await releasing(session, async () => {
    let shape: readonly number[] = [];
    for (const [digest, clip] of distinct) {
      // The stages that follow end a run that is stopped.
      if (isAlone && host.shouldStop()) return undefined;
      const { data, dims } = (await session.run(modality.rows([clip]).feeds([0], 0))).states!;
      shape = dims;
      if (data.byteLength * distinct.length > MAX_BYTES) return undefined;
      known.set(digest, Float32Array.from(data));
      onProgress(known.size / distinct.length);
    }
    return shape;
  });
  if (!shape) return;
  run.holdsStates = true;
  run.files = { ...files, modality: modality.known(ENCODER_STATES, shape, known) };
  run.base = { ...base, model: inNetwork(base.model, (network) => network.with({ readsStates: true })) };
}

/** The encoder's states, if nothing but the content of a file changes them. */
function frozenStates(model: TaskModel, tuner: Tuner, content: string): Value | undefined {
  let states: Value | undefined;
  model.buildLogits(trainingNetwork(tuner, {}).network, () => ({ onEncoded: (value) => (states = value) }));
  const isOther = (node: GraphNode) =>
    node.op === 'input' && (node as GraphNode<'input'>).attributes.name !== content;
  return states && !reachable([states]).some(isOther) ? states : undefined;
}
