import { existsSync } from 'node:fs';
import { resolveModel } from '../../data/hub/node/resolve-model.ts';
import { readAdapter } from '../../formats/peft/node/adapter-folder.ts';
import { UserError } from '../../support/user-error.ts';
import { type TokenHeadKind, tokenModel } from '../../objectives/token-model.ts';
import { readAdapterNotes } from './adapter-notes.ts';
import { type LoadedModel, openModel, readFamily } from './load-model.ts';
import { locateTrained } from './locate-trained.ts';
import { checkHead } from './open-adapter.ts';
import { LoraTuner } from '../../tuners/lora/lora-tuner.ts';
import { type ImportedAdapter, importAdapter } from '../../tuners/low-rank/import-adapter.ts';

/** A language model with its adapter, if it has one. */
export interface LoadedLanguageModel extends ImportedAdapter {
  model: LoadedModel;
  /** The folder of the base model, with tokenizer and settings. */
  baseFolder: string;
  /** Whether it was trained on conversations, as far as the adapter (or fine-tuned model) says. */
  isChat: boolean;
}

/**
 * Opens whatever can generate: a run's folder, an adapter's (of this program or of PEFT), a model's, or a model of the
 * Hub by its id.
 *
 * @param base the base model, where it lies elsewhere than the adapter says
 * @throws UserError for anything missing, damaged or not fitting together, and for what is no language model
 */
export async function loadLanguageModel(path: string, base?: string): Promise<LoadedLanguageModel> {
  if (!existsSync(path)) return loadWhole(await resolveModel(path));
  const { folder, kind, runModel } = locateTrained(path);
  return kind === 'adapter' ? loadAdapted(folder, base ?? runModel) : loadWhole(folder);
}

async function loadAdapted(folder: string, base: string | undefined): Promise<LoadedLanguageModel> {
  const adapter = readAdapter(folder);
  const name = base ?? adapter.config.base_model_name_or_path;
  if (!name) {
    const expected = 'the name of the base model';
    throw new UserError({ where: folder, expected, got: 'none', hint: 'Give --model.' });
  }
  const baseFolder = await resolveModel(name);
  const loaded = openWith(baseFolder, headOf(baseFolder, folder, adapter.config.task_type), (model) =>
    importAdapter(model, adapter, folder),
  );
  return { ...loaded, isChat: trainedOnMessages(folder) };
}

function loadWhole(folder: string): LoadedLanguageModel {
  const nothing = { tuner: new LoraTuner({ lora_dropout: 0 }, [], []), values: new Float32Array(0) };
  const loaded = openWith(folder, headOf(folder, folder), () => nothing);
  return { ...loaded, isChat: trainedOnMessages(folder) };
}

function openWith(
  baseFolder: string,
  head: TokenHeadKind,
  tune: (model: LoadedModel) => ImportedAdapter,
): Omit<LoadedLanguageModel, 'isChat'> {
  const model = openModel(baseFolder, tokenModel(head));
  try {
    const tuned = tune(model);
    checkHead(model, tuned, baseFolder);
    return { model, baseFolder, ...tuned };
  } catch (error) {
    model.close();
    throw error;
  }
}

const GENERATING = ['SEQ_2_SEQ_LM', 'CAUSAL_LM'] as const;

/** The head that generates, by an adapter's `task_type` where it has one. */
function headOf(baseFolder: string, where: string, taskType: string | null = null): TokenHeadKind {
  const { heads, modelType } = readFamily(baseFolder).definition;
  const head = GENERATING.find((kind) => heads[kind] && (taskType ?? kind) === kind);
  if (head) return head;
  throw new UserError({
    where,
    expected: `a language model (${GENERATING.join(' or ')})`,
    got: taskType ? `an adapter of ${modelType} for ${taskType}` : `a model of type ${modelType}`,
    hint: taskType ? 'For classes and scores: adalora predict.' : undefined,
  });
}

function trainedOnMessages(folder: string): boolean {
  const data = readAdapterNotes(folder)?.data;
  return data !== undefined && 'messages' in data && data.messages !== undefined;
}
