import { z } from 'zod';
import { TRANSFORMER_FILES } from '../../input/hub/model-files.ts';
import { headNamed } from '../../models/heads/registry.ts';
import { PLAIN_SENTENCE, POOLING_MODES, type SentenceSettings } from '../../models/sentence-settings.ts';
import type { TaskModel } from '../../program/objectives/task-model.ts';
import { InvalidFile } from '../../support/user-error.ts';

/** The files that sentence-transformers adds to a model's folder, by purpose. */
export const SENTENCE_FILES = {
  modules: 'modules.json',
  transformer: 'sentence_bert_config.json',
  prompts: 'config_sentence_transformers.json',
  pooling: '1_Pooling/config.json',
} as const;

/** Reads a JSON file of the model's folder. Undefined if it does not exist. */
type ReadSentenceFile = (name: string) => unknown;

const modulesSchema = z.array(z.looseObject({ path: z.string(), type: z.string() }));
/** A module's folder must be a plain name, so that it cannot be outside the model's folder. */
const FOLDER = /^[\w-]+$/;

const poolingSchema = z.looseObject({
  pooling_mode: z.union([z.string(), z.array(z.string())]).optional(),
  include_prompt: z.boolean().optional(),
});
const promptsSchema = z.looseObject({
  prompts: z.record(z.string(), z.string()).nullish(),
  default_prompt_name: z.string().nullish(),
  similarity_fn_name: z.string().nullish(),
  truncate_dim: z.int().min(1).nullish(),
});
const transformerSchema = z.looseObject({
  max_seq_length: z.int().min(1).nullish(),
  do_lower_case: z.boolean().nullish(),
});

/** Names of pooling modes in older versions. */
const LEGACY_MODES: Readonly<Record<string, string>> = {
  pooling_mode_cls_token: 'cls',
  pooling_mode_mean_tokens: 'mean',
  pooling_mode_max_tokens: 'max',
  pooling_mode_mean_sqrt_len_tokens: 'mean_sqrt_len_tokens',
  pooling_mode_weightedmean_tokens: 'weightedmean',
  pooling_mode_lasttoken: 'lasttoken',
};

/**
 * The settings in a folder's sentence-transformers files. Undefined for a model without them. Unsupported features are
 * recorded. They are rejected only when the model is used for embeddings, because other tasks do not need them.
 *
 * @param where the folder, for messages
 * @throws UserError for a damaged file
 */
export function sentenceSettings(read: ReadSentenceFile, where: string): SentenceSettings | undefined {
  const modules = checked(modulesSchema, read(SENTENCE_FILES.modules), `${where}/${SENTENCE_FILES.modules}`);
  if (!modules) return undefined;
  const kinds = modules.map(({ path, type }) => ({ path, kind: type.split('.').at(-1) as string }));
  const pooling = kinds.find(({ kind }) => kind === 'Pooling');
  const strange = kinds.find(({ kind }) => !['Transformer', 'Pooling', 'Normalize'].includes(kind));
  const readOf = <T>(schema: z.ZodType<T>, name: string) => checked(schema, read(name), `${where}/${name}`);
  const settings: SentenceSettings = { ...PLAIN_SENTENCE };
  if (pooling && FOLDER.test(pooling.path)) {
    const name = `${pooling.path}/config.json`;
    const config = readOf(poolingSchema, name);
    const { mode, unsupported } = poolingMode(config ?? {});
    settings.pooling = { mode, normalize: false };
    if (unsupported) settings.unsupported = `${unsupported} (${name})`;
    if (!config) settings.unsupported = `no ${name}, which modules.json names`;
  }
  const normalize = kinds.some(({ kind }) => kind === 'Normalize');
  settings.pooling = { ...settings.pooling, normalize };
  if (strange) settings.unsupported = `a module of type ${strange.kind}`;
  if (kinds[0]?.path) settings.unsupported = `weights in the folder ${kinds[0].path}`;
  const name = TRANSFORMER_FILES.find((known) => read(known) !== undefined) ?? SENTENCE_FILES.transformer;
  const transformer = readOf(transformerSchema, name);
  if (transformer?.do_lower_case) settings.unsupported = `do_lower_case (${name})`;
  const { prompts, default_prompt_name, similarity_fn_name, truncate_dim } =
    readOf(promptsSchema, SENTENCE_FILES.prompts) ?? {};
  if (truncate_dim) settings.unsupported = `truncate_dim (${SENTENCE_FILES.prompts})`;
  if (default_prompt_name && !Object.hasOwn(prompts ?? {}, default_prompt_name))
    settings.unsupported = `a default_prompt_name that is not in prompts (${SENTENCE_FILES.prompts})`;
  return {
    ...settings,
    prompts: prompts ?? {},
    ...(default_prompt_name && { defaultPrompt: default_prompt_name }),
    ...(similarity_fn_name && { similarity: similarity_fn_name }),
    ...(transformer?.max_seq_length && { maxLength: transformer.max_seq_length }),
  };
}

/** The names of the files that {@link sentenceSettings} may read, from modules.json. */
export function sentenceFileNames(modules: unknown): string[] {
  const parsed = modulesSchema.safeParse(modules);
  const folders = (parsed.data ?? []).map(({ path }) => path).filter((path) => FOLDER.test(path));
  return [...Object.values(SENTENCE_FILES), ...folders.map((folder) => `${folder}/config.json`)];
}

function poolingMode(config: z.output<typeof poolingSchema>) {
  const { pooling_mode: stored, include_prompt: includes = true } = config;
  const named = stored === undefined ? legacyModes(config) : [stored].flat();
  const mode = POOLING_MODES.find((known) => named.length === 1 && known === named[0]);
  const unsupported = !mode
    ? `pooling by ${named.join(' and ') || 'nothing'}`
    : includes
      ? undefined
      : 'pooling without the prompt';
  return { mode: mode ?? PLAIN_SENTENCE.pooling.mode, unsupported };
}

function legacyModes(config: Readonly<Record<string, unknown>>): string[] {
  const modes = Object.keys(LEGACY_MODES).filter((key) => config[key] === true);
  return modes.length > 0 ? modes.map((key) => LEGACY_MODES[key]!) : [PLAIN_SENTENCE.pooling.mode];
}

function checked<T>(schema: z.ZodType<T>, json: unknown, where: string): T | undefined {
  if (json === undefined) return undefined;
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new InvalidFile({
    where,
    fault: `is not a valid file of sentence-transformers: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`,
  });
}

/**
 * The files, by name, with which sentence-transformers can load the folder of a model or an adapter. They have the
 * format of version 3, which later versions also read. Empty for models that do not make text vectors.
 *
 * @param maxLength number of tokens of a text; by default the model's limit
 */
export function sentenceFiles(
  { headKind, config }: Pick<TaskModel, 'headKind' | 'config'>,
  maxLength = config.sentence?.maxLength ?? config.maxLength,
): ReadonlyMap<string, string> {
  if (headNamed(headKind).mainUse !== 'embed') return new Map();
  const { pooling, prompts, defaultPrompt, similarity = 'cosine' } = config.sentence ?? PLAIN_SENTENCE;
  const types = ['Transformer', 'Pooling', ...(pooling.normalize ? ['Normalize'] : [])];
  const modules = types.map((type, idx) => ({
    idx,
    name: `${idx}`,
    path: idx === 0 ? '' : `${idx}_${type}`,
    type: `sentence_transformers.models.${type}`,
  }));
  const modes = Object.entries(LEGACY_MODES).map(([key, mode]) => [key, mode === pooling.mode] as const);
  const contents = {
    [SENTENCE_FILES.modules]: modules,
    [SENTENCE_FILES.pooling]: {
      word_embedding_dimension: config.numLabels,
      ...Object.fromEntries(modes),
      include_prompt: true,
    },
    [SENTENCE_FILES.transformer]: { max_seq_length: maxLength, do_lower_case: false },
    [SENTENCE_FILES.prompts]: {
      prompts,
      default_prompt_name: defaultPrompt ?? null,
      similarity_fn_name: similarity,
    },
  };
  return new Map(
    Object.entries(contents).map(([name, content]) => [name, `${JSON.stringify(content, null, 2)}\n`]),
  );
}
