export const SINGLE_WEIGHTS = 'model.safetensors';
export const WEIGHTS_INDEX = 'model.safetensors.index.json';

/** Small files that describe model and tokenizer. */
const DESCRIPTION = [
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.txt',
  'vocab.json',
  'merges.txt',
];
const SHARD = /^model-\d{5}-of-\d{5}\.safetensors$/;

/**
 * Of the files at the top of a repository those that training needs, weights last: so a snapshot that was interrupted is
 * one without its weights. Null where there are no safetensors weights.
 */
export function neededFiles(present: string[]): string[] | null {
  const weights = present.includes(SINGLE_WEIGHTS)
    ? [SINGLE_WEIGHTS]
    : present.includes(WEIGHTS_INDEX)
      ? [WEIGHTS_INDEX, ...present.filter((name) => SHARD.test(name)).sort()]
      : null;
  return weights && [...DESCRIPTION.filter((name) => present.includes(name)), ...weights];
}

/** Whether a snapshot with these files can be used without asking the Hub. `shards`: the files that its index names. */
export function isUsable(present: string[], shards: string[]): boolean {
  if (!present.includes('config.json')) return false;
  if (present.includes(SINGLE_WEIGHTS)) return true;
  return present.includes(WEIGHTS_INDEX) && shards.every((name) => present.includes(name));
}

/** A snapshot that another program fetched for its weights alone may lack it. */
export function hasTokenizer(present: string[]): boolean {
  return ['tokenizer.json', 'vocab.txt', 'vocab.json'].some((name) => present.includes(name));
}
