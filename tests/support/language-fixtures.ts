import { readFileSync } from 'node:fs';
import type { SpecialTokens } from '../../src/input/text/special-tokens.ts';
import { TextTokenizer } from '../../src/input/text/tokenizer.ts';

/** A file of src/input/text/fixtures, written by scripts/oracle/language_data.py. */
export function languageFixture(name: string) {
  return JSON.parse(readFileSync(`src/input/text/fixtures/${name}.json`, 'utf8'));
}

const SPECIAL: Readonly<Record<string, SpecialTokens>> = {
  gpt2: {},
  llama2: {},
  llama3: { bos_token: '<|begin_of_text|>', eos_token: '<|end_of_text|>' },
  'xlm-roberta': {},
};

export const TOKENIZERS = Object.keys(SPECIAL);

/** A family's small tokenizer and its tokenizer_config.json. */
export function fixtureTokenizer(name: string) {
  const tokenizerJson = languageFixture(name);
  const tokenizerConfig = { ...SPECIAL[name] };
  const tokenizer = new TextTokenizer(tokenizerJson, tokenizerConfig, { typeVocabSize: 1 });
  return { tokenizer, tokenizerJson, tokenizerConfig };
}
