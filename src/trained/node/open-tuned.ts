import type { DownloadProgress } from '../../data/hub/node/download.ts';
import { resolveModel } from '../../data/hub/node/resolve-model.ts';
import { headLabels } from '../../formats/adapters/head-labels.ts';
import { readAdapter } from '../../formats/adapters/node/adapter-folder.ts';
import type { StoredAdapter } from '../../formats/adapters/stored-adapter.ts';
import { spanModel } from '../../objectives/span-model.ts';
import { type TokenHeadKind, tokenModel } from '../../objectives/token-model.ts';
import type { LoadedModel } from '../../program/model-weights.ts';
import { UserError } from '../../support/user-error.ts';
import { type AnyTask, DEFAULT_TASK, recognisedTask, taskNamed } from '../../tasks/registry.ts';
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
 * Opens a run's folder, an adapter's (of any method here, of PEFT or AdapterHub), a model's, or any of them on the Hub by its id. A
 * model without an adapter is frozen: nothing of it passes through JavaScript.
 *
 * @throws UserError for anything missing, damaged or not fitting together
 */
export async function openTuned(path: string, options: OpenTunedOptions = {}): Promise<OpenedTuned> {
  const located = await locateTrained(path, options.onProgress);
  const { folder } = located;
  if (located.kind === 'model') {
    const notes = readNotes(folder);
    const build = options.generates ? generating(folder, path) : undefined;
    return opened(folder, folder, notes ?? recognised(folder), build, undefined);
  }
  const stored = readAdapter(folder);
  const name = options.model ?? located.runModel ?? stored.baseModel;
  if (!name) {
    const expected = 'the name of the base model';
    throw new UserError({ where: folder, expected, got: 'none', hint: 'Give --model.' });
  }
  const kind = kindOf(stored, folder);
  const baseFolder = await resolveModel(name, { onProgress: options.onProgress });
  const adapter = { stored, kind };
  if (options.generates) {
    const build = generating(baseFolder, folder, stored.taskType);
    return opened(folder, baseFolder, readNotes(folder), build, adapter);
  }
  const foreign = headOf(stored);
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
  const { definition } = readFamily(baseFolder);
  const names = stored && headLabels(stored);
  const json = { ...readModelConfig(baseFolder), ...(names && { id2label: names }) } as Record<
    string,
    unknown
  >;
  const [architecture] = Array.isArray(json.architectures) ? json.architectures : [];
  const outputsOf = (build: BuildTask) =>
    stored && headOutputs(describeAs(baseFolder, build), stored.tensors);
  const classifier = taskNamed(DEFAULT_TASK).build(['0', '1']);
  const model: UnknownTrained = {
    definition,
    json,
    taskType: stored?.taskType,
    architecture,
    outputs: definition.heads.SEQ_CLS && outputsOf(classifier),
    outputsOf,
  };
  const { task, labels, data } = recognisedTask(model);
  return { task, labels, data: readingOf(task, data) };
}

/** The head of an adapter that PEFT trained for what is no task here; undefined for other adapters. */
function headOf({ taskType }: StoredAdapter): BuildTask | undefined {
  if (taskType === 'QUESTION_ANS') return spanModel;
  if (taskType === 'SEQ_2_SEQ_LM') return tokenModel(taskType);
  return undefined;
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
