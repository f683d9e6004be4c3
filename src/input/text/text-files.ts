import { SENTENCEPIECE_FILE } from './convert/read-sentencepiece.ts';

/** Names of the files beside a model that its texts need. Not every model has all of them. */
export const TEXT_FILES: readonly string[] = [
  ...['chat_template.jinja', 'tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json'],
  ...['added_tokens.json', 'vocab.txt', 'vocab.json', 'merges.txt', SENTENCEPIECE_FILE],
  ...['spiece.model', 'sentencepiece.bpe.model', 'tokenizer.model'],
];

/** Whether a folder with these files can turn texts into tokens. */
export function hasTokens(present: readonly string[]): boolean {
  return ['tokenizer.json', 'vocab.txt', SENTENCEPIECE_FILE].some((name) => present.includes(name));
}
