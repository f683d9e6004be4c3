import { SMALL_GENERATORS, writeSmallGenerator } from '../../tests/support/small-generator.ts';

/*
 * tsx small-generators.ts [--whole] FOLDER
 *
 * Writes the tests' small generators with a small vocabulary, for model_generation_cases.py, or with the whole vocabulary
 * of their tokenizer, for preference.py.
 */

const VOCABULARY = 24;

const isWhole = process.argv.includes('--whole');
const folder = process.argv.at(-1);
for (const type of SMALL_GENERATORS) {
  writeSmallGenerator(`${folder}/${type}`, type, isWhole ? {} : { vocab_size: VOCABULARY });
}
