import type { DownloadProgress } from '../../input/formats/byte-source.ts';
import { ANYTHING, BOOLEAN, COUNT, FUNCTION, type OptionTypes, oneOf } from '../../support/options.ts';

/** The options of an opened model that Node and a page share. */
export interface CommonOpenOptions<Model, Where> {
  /** The base model, if it is not where the adapter says: in Node its folder or Hub id, in a page its files or URL. */
  model?: Model | undefined;
  /** Default: `cpu` in Node, `wasm` in a page. */
  device?: Where | undefined;
  batchSize?: number | undefined;
  /** Number of tokens after which a text is truncated, if other than in the run. */
  maxLength?: number | undefined;
  /** Whether to open it for text generation, with a suitable head instead of its own. */
  generates?: boolean | undefined;
  /** Whether to open it for text vectors, even if it is a base model without a task. */
  embeds?: boolean | undefined;
  /**
   * Whether a prompt that begins like the previous one is read only from the first difference on, as for the turns of a
   * conversation. The results are equal up to rounding, so a sampled text may depend on earlier prompts.
   */
  continues?: boolean | undefined;
  /** Called while files of the Hub, or in a page the weights, are downloaded. */
  onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Called if an adapter was trained on other weights than its base has. By default, a warning is printed. */
  onNotice?: ((message: string) => void) | undefined;
}

export const COMMON_OPEN_OPTIONS: OptionTypes<CommonOpenOptions<unknown, unknown>> = {
  model: ANYTHING,
  device: oneOf('cpu', 'webgpu', 'wasm'),
  batchSize: COUNT,
  maxLength: COUNT,
  generates: BOOLEAN,
  embeds: BOOLEAN,
  continues: BOOLEAN,
  onProgress: FUNCTION,
  onNotice: FUNCTION,
};
