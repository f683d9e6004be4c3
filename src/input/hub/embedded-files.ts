/** The embedded model's files. Each has its own URL expression, because bundlers search the code for such expressions. */
export const EMBEDDED_FILES: ReadonlyMap<string, URL> = new Map([
  ['config.json', new URL('../../../models/mini/config.json', import.meta.url)],
  ['model.safetensors', new URL('../../../models/mini/model.safetensors', import.meta.url)],
  ['tokenizer.json', new URL('../../../models/mini/tokenizer.json', import.meta.url)],
  ['tokenizer_config.json', new URL('../../../models/mini/tokenizer_config.json', import.meta.url)],
]);
