import { SMALL_GENERATORS, writeSmallGenerator } from '../../tests/support/small-generator.ts';

/*
 * tsx small-generators.ts FOLDER
 *
 * Writes the tests' small generators with a small vocabulary, for model_generation_cases.py.
 */

const VOCABULARY = 24;

const [folder] = process.argv.slice(2);
for (const type of SMALL_GENERATORS) {
  writeSmallGenerator(`${folder}/${type}`, type, { vocab_size: VOCABULARY });
}
