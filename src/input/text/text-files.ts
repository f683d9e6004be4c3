import { SENTENCEPIECE_FILES } from './convert/read-sentencepiece.ts';

/** Names of the files beside a model that its texts need. Not every model has all of them. */
export const TEXT_FILES: readonly string[] = [
  ...['chat_template.jinja', 'tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json'],
  ...['added_tokens.json', 'vocab.txt', 'vocab.json', 'merges.txt', ...SENTENCEPIECE_FILES],
];

/** Whether a folder with these files can turn texts into tokens. */
export function hasTokens(present: readonly string[]): boolean {
  return ['tokenizer.json', 'vocab.txt', 'vocab.json', ...SENTENCEPIECE_FILES].some((name) =>
    present.includes(name),
  );
}
