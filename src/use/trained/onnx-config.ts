import { editJson } from '../../input/formats/bounded-json.ts';
import type { CommonConfig } from '../../models/model-definition.ts';
import type { OnnxDtype } from '../optimum/onnx-dtypes.ts';

/** Fields that transformers.js needs to name the tensors of a cache. They may be missing in config.json. */
const CACHE_FIELDS = [
  ...['is_encoder_decoder', 'num_layers', 'num_decoder_layers', 'encoder_layers', 'decoder_layers'],
  ...['num_hidden_layers', 'n_layer'],
];

/**
 * A config.json with the information that transformers.js needs about the ONNX files beside it.
 *
 * @param text from `trainedConfig`
 * @param external the number of external data files of a model, by the name of its file
 */
export function onnxConfig(
  text: string,
  config: CommonConfig,
  dtypes: readonly OnnxDtype[],
  external: Readonly<Record<string, number>>,
): string {
  // By default, transformers.js loads q8 on WebAssembly, otherwise fp32.
  const hasDefaults = dtypes.includes('fp32') && dtypes.includes('q8');
  const labels = {
    ...(!hasDefaults && { dtype: dtypes[0] }),
    ...(Object.keys(external).length > 0 && { use_external_data_format: external }),
  };
  const changed = editJson(text, ({ 'transformers.js_config': _, ...json }) => ({
    ...json,
    ...cacheFields(json, config),
    ...(Object.keys(labels).length > 0 && { 'transformers.js_config': labels }),
  }));
  return `${changed}\n`;
}

/** The fields that a config.json lacks. */
function cacheFields(json: Readonly<Record<string, unknown>>, config: CommonConfig): Record<string, unknown> {
  const known = config as unknown as Readonly<Record<string, unknown>>;
  // By default, T5's decoder has as many layers as its encoder.
  const values = { ...known, num_decoder_layers: known.num_decoder_layers ?? known.num_layers };
  const missing = CACHE_FIELDS.filter((name) => (json[name] ?? null) === null);
  const defaults = missing.map((name) => [name, values[name as keyof typeof values] as unknown]);
  return Object.fromEntries(defaults.filter(([, value]) => (value ?? null) !== null));
}
