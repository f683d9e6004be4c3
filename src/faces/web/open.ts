import { readStoredAdapter } from '../../input/formats/adapters/read-stored-adapter.ts';
import { asFiles, type Folder } from '../../input/formats/files.ts';
import type { BaseDtype } from '../../program/bases/base-dtype.ts';
import { ANYTHING, assertOptions, type OptionTypes, TEXT } from '../../support/options.ts';
import { UserError } from '../../support/user-error.ts';
import { fittingBase } from '../../use/trained/fitting-base.ts';
import { COMMON_OPEN_OPTIONS, type CommonOpenOptions } from '../../use/trained/model-options.ts';
import { openTunedModel } from '../../use/trained/open-model.ts';
import { type DescribedModel, describeModel, readModel } from '../../use/trained/read-model.ts';
import { TrainedModel } from '../../use/trained/trained-model.ts';
import { trainedParts } from '../../use/trained/trained-parts.ts';
import { knownAdapter } from '../../use/trained/tune-model.ts';
import { DECODERS } from './decode-image.ts';
import { loadWeights } from './load-weights.ts';
import { assertInPage } from './page-config.ts';
import {
  MAX_ADAPTER_BYTES,
  modelFiles,
  PAGE_OPTIONS,
  type PageOptions,
  type RunsOn,
  runsOn,
} from './page-options.ts';
import type { TrainResult } from './train.ts';

/** Options of {@link open}: those of Node, and the files of the page. */
export interface OpenOptions extends PageOptions, CommonOpenOptions<Folder, RunsOn['device']> {
  /** The model's name in messages. */
  name?: string | undefined;
}

export const OPEN_OPTIONS: OptionTypes<OpenOptions> = {
  ...COMMON_OPEN_OPTIONS,
  ...PAGE_OPTIONS,
  name: TEXT,
};

/** The result of a run, or the folder of an adapter or of a whole model: its files, or its URL. */
export type Trained = TrainResult | Folder;

/**
 * Opens a model to predict, evaluate or generate: a newly trained adapter, the files of an adapter (of any method here,
 * of PEFT or AdapterHub), or those of a whole model. Close it after use.
 *
 * @throws UserError for anything missing, damaged or incompatible
 */
export async function open(trained: Trained, options: OpenOptions = {}): Promise<TrainedModel> {
  // `openTrained` explains why a page has no `baseDtype`.
  assertOptions('open', options, { ...OPEN_OPTIONS, baseDtype: ANYTHING });
  return (await openTrained(trained, options)).model;
}

/** Like {@link open}, but also returns the description of the base model. */
export async function openTrained(
  trained: Trained,
  options: OpenOptions,
): Promise<{ model: TrainedModel; base: DescribedModel }> {
  const { name: path = 'adapter', device = 'wasm', batchSize, continues, onNotice = console.warn } = options;
  // A program in JavaScript may pass the option of Node.
  assertInPage('open', { device, base_dtype: (options as { baseDtype?: BaseDtype }).baseDtype });
  const files = asFiles(findFolder(trained), path);
  const stored = await readStoredAdapter(files, MAX_ADAPTER_BYTES);
  const adapter = stored && knownAdapter(stored, path);
  const opened = await openTunedModel(
    {
      files,
      adapter,
      where: path,
      async readBase(notes, changes) {
        fittingBase(notes, 'float32', path);
        const base = adapter ? modelFiles(nameOfBase(adapter.stored, path), options) : files;
        return readModel(await describeModel(base, changes), DECODERS);
      },
      openWeights: (base, model, isHashed) =>
        loadWeights(model, base.files, runsOn(device, options), options.onProgress, isHashed),
      onNotice,
    },
    options,
  );
  const { model, engine, base } = opened;
  try {
    const parts = trainedParts(opened, options.maxLength, { path, engine, batchSize, continues });
    // A page reports damaged files of the modality at once.
    void parts.modality;
    return { model: new TrainedModel(parts), base };
  } catch (error) {
    model.close();
    throw error;
  }
}

/** The name of the model for which an adapter was made. If the adapter does not name it, a placeholder for messages. */
function nameOfBase({ baseModel }: { baseModel: string | null }, path: string): string {
  return baseModel ?? `the base model of ${path}`;
}

function findFolder(trained: Trained): Folder {
  if (typeof trained !== 'object' || !('reason' in trained)) return trained;
  const { adapter, model, reason } = trained;
  const files = adapter ?? model;
  if (files) return files;
  throw new UserError({
    where: 'open',
    fault: `needs a run with an adapter; this one ended with reason ${reason}`,
  });
}
