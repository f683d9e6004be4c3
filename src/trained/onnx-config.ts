import { editJson } from '../formats/edit-json.ts';
import type { CommonConfig } from '../models/model-definition.ts';
import type { OnnxDtype } from '../optimum/onnx-dtypes.ts';

/** Fields by which transformers.js names a cache, and which a config.json may leave to their defaults. */
const CACHE_FIELDS = ['is_encoder_decoder', 'num_layers', 'num_decoder_layers', 'decoder_layers'];
const LAYER_FIELDS = ['encoder_layers', 'num_hidden_layers', 'n_layer'];

/**
 * A config.json with what transformers.js must know of the ONNX files beside it.
 *
 * @param text as {@link trainedConfig} gives it
 * @param external how many files of external data a model has, by the name of its file
 */
export function onnxConfig(
  text: string,
  config: CommonConfig,
  dtypes: readonly OnnxDtype[],
  external: Readonly<Record<string, number>>,
): string {
  // By default it takes q8 on WebAssembly, else fp32.
  const hasDefaults = dtypes.includes('fp32') && dtypes.includes('q8');
  const own = {
    ...(!hasDefaults && { dtype: dtypes[0] }),
    ...(Object.keys(external).length > 0 && { use_external_data_format: external }),
  };
  const known = config as unknown as Readonly<Record<string, unknown>>;
  const changed = editJson(text, (json) => {
    const missing = [...CACHE_FIELDS, ...LAYER_FIELDS].filter((name) => (json[name] ?? null) === null);
    const defaults = missing
      .filter((name) => (known[name] ?? null) !== null)
      .map((name) => [name, known[name]]);
    const { 'transformers.js_config': _, ...rest } = json;
    return {
      ...rest,
      ...Object.fromEntries(defaults),
      ...(Object.keys(own).length > 0 && { 'transformers.js_config': own }),
    };
  });
  return `${changed}\n`;
}
