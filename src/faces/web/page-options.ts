import type { Device } from '../../engine/runtime/session.ts';
import { ADAPTER_CONFIG } from '../../input/formats/adapters/adapter-files.ts';
import { asFiles, type Files, type Folder, folderUrl, hasFile, pathIn } from '../../input/formats/files.ts';
import { EMBEDDED_FILES } from '../../input/hub/embedded-files.ts';
import { EMBEDDED_MODEL } from '../../input/hub/model-id.ts';
import { HEAD_KINDS, writesText } from '../../models/heads/registry.ts';
import type { BaseDtype } from '../../program/bases/base-dtype.ts';
import type { WebEngineOptions } from '../../program/web-engine.ts';
import { ANYTHING, COUNT, type OptionTypes } from '../../support/options.ts';
import { type Complaint, InvalidFile, UserError } from '../../support/user-error.ts';
import type { RunConfigInput } from '../../training/run/config/run-config.ts';
import { CONFIG, describeModel, readModel } from '../../use/trained/read-model.ts';

/**
 * Maximum size of an adapter. Most have a few megabytes; with high ranks on a large model, several hundred. A page
 * cannot hold more beside the model.
 */
export const MAX_ADAPTER_BYTES = 2 ** 30;

/** The engine of a page, and where its files are. */
export interface PageOptions {
  /** The URL of the embedded model's folder, `models/mini` of this package. Default: its place in the package. */
  modelUrl?: string | URL | undefined;
  /** The URL of the folder with the engine's files (`dist` of onnxruntime-web). Default: beside its code. */
  engineUrl?: string | URL | undefined;
  /** Number of WebAssembly's threads. More than one needs a cross-origin isolated page. */
  threads?: number | undefined;
}

export const PAGE_OPTIONS: OptionTypes<PageOptions> = {
  modelUrl: ANYTHING,
  engineUrl: ANYTHING,
  threads: COUNT,
};

/** The device of a model, and its settings. */
export type RunsOn = Omit<WebEngineOptions, 'weights'>;

/** The engine's options, from those of a page. */
export function runsOn(device: RunsOn['device'], { threads, engineUrl }: PageOptions): RunsOn {
  return { device, threads, ...(engineUrl !== undefined && { engineUrl: folderUrl(engineUrl).href }) };
}

/**
 * The files of a base model.
 *
 * @param name of the model in a config or an adapter
 * @throws UserError for a model without files or URL, because a page does not search for models
 */
export function modelFiles(
  name: string,
  { model, modelUrl }: Pick<PageOptions, 'modelUrl'> & { model?: Folder | undefined },
): Files {
  if (model !== undefined) return asFiles(model, name);
  if (name === EMBEDDED_MODEL) return asFiles(modelUrl ?? EMBEDDED_FILES, name);
  throw new UserError({
    where: 'model',
    fault: `needs the files of ${name}, or the address of their folder`,
    hint: 'Give them as the option model.',
  });
}

/**
 * The medium of the files that a model reads; `text` for texts.
 *
 * @throws UserError for what the page that trains cannot train: an adapter, a model that writes text, or an encoder
 * without a tokenizer
 */
export async function findPageMedium(files: Files): Promise<string> {
  if (await hasFile(files, ADAPTER_CONFIG)) {
    const hint = 'Choose the base model that it names.';
    throw new InvalidFile({ where: files.name, fault: 'is an adapter, not a whole model', hint });
  }
  const described = await describeModel(files);
  const { definition, config } = described.family;
  if (config.content) return config.content.medium;
  if (HEAD_KINDS.some((kind) => writesText(kind) && definition.heads[kind])) {
    throw new InvalidFile({
      where: pathIn(files.name, CONFIG),
      fault: `is that of a model that writes text (${definition.modelType}). The page trains encoders`,
      hint: 'Choose an encoder, such as BERT, or train this model on the command line: npx adalora train',
    });
  }
  (await readModel(described)).modality(config);
  return 'text';
}

/** A config without its output folder, which has no meaning in a page. */
type WithoutOutput<Input> = Input extends unknown ? Omit<Input, 'output'> & { output?: string } : never;

/** The config of a run in a page, as in Node: `data` has names of files, or rows. The default of `device` is `wasm`. */
export type PageConfig = WithoutOutput<RunConfigInput>;

/** The config of a page's run as one in Node. */
export function inPage(config: PageConfig): RunConfigInput {
  return { device: 'wasm', output: 'page', ...config } as RunConfigInput;
}

/**
 * Rejects the settings that only Node supports. All that a page cannot do is here.
 *
 * @param where the place of the settings for messages
 * @throws UserError with a line for every such setting
 */
export function assertInPage(
  where: string,
  { device, base_dtype = 'float32', dataset }: { device: Device; base_dtype?: BaseDtype; dataset?: unknown },
): void {
  const problems: Complaint[] = [];
  if (device === 'cpu')
    problems.push({ where: `${where}: device`, fault: 'must be wasm or webgpu in a page, got cpu' });
  if (base_dtype !== 'float32') {
    const fault = `must be float32 in a page, got ${base_dtype}`;
    problems.push({ where: `${where}: base_dtype`, fault });
  }
  if (dataset !== undefined) {
    problems.push({
      where: `${where}: data.dataset`,
      fault: 'is not available in a page',
      hint: 'Give files of the page in data.train.',
    });
  }
  if (problems.length > 0)
    throw new UserError(problems.map((problem) => new UserError(problem).message).join('\n'));
}
