import type { DownloadProgress } from '../../data/hub/node/download.ts';
import { resolveModel } from '../../data/hub/node/resolve-model.ts';
import { adapterConfigFile, readAdapter } from '../../formats/adapters/node/adapter-folder.ts';
import type { StoredAdapter } from '../../formats/adapters/stored-adapter.ts';
import { classLoss } from '../../objectives/sequence-loss.ts';
import { sequenceModel } from '../../objectives/sequence-model.ts';
import { spanModel } from '../../objectives/span-model.ts';
import { type TokenHeadKind, tokenModel } from '../../objectives/token-model.ts';
import type { LoadedModel } from '../../program/model-weights.ts';
import { UserError } from '../../support/user-error.ts';
import { type AnyTask, recognisedTask, taskNamed } from '../../tasks/registry.ts';
import type { BuildTask, UnknownTrained } from '../../tasks/task-definition.ts';
import type { AdapterKind } from '../../tuners/adapter-kind.ts';
import { FROZEN } from '../../tuners/frozen-tuner.ts';
import { headOutputs } from '../../tuners/head-outputs.ts';
import { kindOf } from '../../tuners/registry.ts';
import type { TunedValues } from '../../tuners/tuner.ts';
import { checkHead } from '../check-head.ts';
import { type Notes, readingOf } from '../notes.ts';
import { describeAs, openModel, readFamily, readModelConfig } from './load-model.ts';
import { locateTrained } from './locate-trained.ts';
import { readNotes } from './notes-file.ts';

/** A model with its adapter, if it has one: open, but nothing computed yet. */
export interface OpenedTuned extends TunedValues {
  model: LoadedModel;
  /** The folder of the base model, with its tokenizer. */
  baseFolder: string;
  /** The folder of the adapter, or of the model itself. */
  folder: string;
  /** What it was trained for; undefined for tasks that are none here. */
  notes: Notes | undefined;
  adapter?: { stored: StoredAdapter; kind: AdapterKind };
}

export interface OpenTunedOptions {
  /** The base model, where it lies elsewhere than the adapter says. */
  model?: string;
  /** Whether it is to write text: then it is opened with a head for that, whatever else it has. */
  generates?: boolean;
  onProgress?: (progress: DownloadProgress) => void;
}

/**
 * Opens a run's folder, an adapter's (of any method here, or of PEFT), a model's, or any of them on the Hub by its id. A
 * model without an adapter is frozen: nothing of it passes through JavaScript.
 *
 * @throws UserError for anything missing, damaged or not fitting together
 */
export async function openTuned(path: string, options: OpenTunedOptions = {}): Promise<OpenedTuned> {
  const located = await locateTrained(path, options.onProgress);
  const { folder } = located;
  if (located.kind === 'model') {
    const notes = readNotes(folder);
    if (options.generates) return opened(folder, folder, notes, generating(folder, path), undefined);
    return opened(folder, folder, notes ?? recognised(folder), undefined, undefined);
  }
  const stored = readAdapter(folder);
  const name = options.model ?? located.runModel ?? stored.baseModel;
  if (!name) {
    const expected = 'the name of the base model';
    throw new UserError({ where: folder, expected, got: 'none', hint: 'Give --model.' });
  }
  const kind = kindOf(stored, adapterConfigFile(folder));
  const baseFolder = await resolveModel(name, { onProgress: options.onProgress });
  const adapter = { stored, kind };
  if (options.generates) {
    const build = generating(baseFolder, folder, stored.taskType);
    return opened(folder, baseFolder, readNotes(folder), build, adapter);
  }
  const foreign = headOf(stored, baseFolder);
  if (foreign) return opened(folder, baseFolder, undefined, foreign, adapter);
  return opened(folder, baseFolder, readNotes(folder) ?? recognised(baseFolder, stored), undefined, adapter);
}

function opened(
  folder: string,
  baseFolder: string,
  notes: Notes | undefined,
  build: BuildTask | undefined,
  adapter: OpenedTuned['adapter'],
): OpenedTuned {
  const task: AnyTask | undefined = notes && taskNamed(notes.task);
  const chosen = build ?? task?.build(notes?.labels ?? []);
  if (!chosen) throw new Error('neither a task nor a head');
  const model = openModel(baseFolder, chosen);
  try {
    const tuned = adapter ? adapter.kind.import(model, adapter.stored, folder) : FROZEN;
    checkHead(model, tuned, folder);
    return { model, baseFolder, folder, notes, adapter, ...tuned };
  } catch (error) {
    model.close();
    throw error;
  }
}

/** What a model or an adapter without notes was trained for. */
function recognised(baseFolder: string, stored?: StoredAdapter): Notes {
  const { definition, config } = readFamily(baseFolder);
  const json = readModelConfig(baseFolder);
  const [architecture] = Array.isArray(json.architectures) ? json.architectures : [];
  const model: UnknownTrained = {
    definition,
    json,
    taskType: stored?.taskType,
    architecture,
    outputs:
      stored && definition.heads.SEQ_CLS && headOutputs(describeAs(baseFolder, classifier), stored.tensors),
  };
  const { task, labels, data } = recognisedTask(model);
  const reading = readingOf(task, data);
  // The task's length is a guess, and no mistake where the model has fewer positions.
  const max_length = reading.max_length && Math.min(reading.max_length, config.maxLength);
  return { task, labels, data: { ...reading, max_length } };
}

/** A model of classes, to find the tensors of its head. */
const classifier: BuildTask = (definition, config) => sequenceModel(definition, config, classLoss);

/** The head of an adapter that PEFT trained for what is no task here; undefined for other adapters. */
function headOf({ taskType, tensors }: StoredAdapter, baseFolder: string): BuildTask | undefined {
  if (taskType === 'QUESTION_ANS') return spanModel;
  if (taskType === 'SEQ_2_SEQ_LM') return tokenModel(taskType);
  if (taskType !== 'TOKEN_CLS') return undefined;
  const outputs = headOutputs(describeAs(baseFolder, tokenModel(taskType)), tensors);
  return (definition, config) =>
    tokenModel(taskType)(definition, { ...config, numLabels: outputs ?? config.numLabels });
}

const GENERATING = ['SEQ_2_SEQ_LM', 'CAUSAL_LM'] as const satisfies readonly TokenHeadKind[];

/** The model with the head that generates, by an adapter's `task_type` where it has one. */
function generating(baseFolder: string, where: string, taskType: string | null = null): BuildTask {
  const { heads, modelType } = readFamily(baseFolder).definition;
  const head = GENERATING.find((kind) => heads[kind] && (taskType ?? kind) === kind);
  if (head) return tokenModel(head);
  throw new UserError({
    where,
    expected: `a language model (${GENERATING.join(' or ')})`,
    got: taskType ? `an adapter of ${modelType} for ${taskType}` : `a model of type ${modelType}`,
    hint: taskType ? 'For classes and scores: adalora predict.' : undefined,
  });
}
