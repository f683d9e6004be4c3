import { textFile } from '../../src/input/data/node/text-files.ts';
import { SCORE_KINDS } from './official-scores/score-kinds.ts';

/*
 * npx tsx scripts/oracle/score.ts NAME PREDICTIONS [REFERENCES] [NULL_ODDS]
 *
 * Prints the official scores of files that any program wrote: squad, glue/TASK, seqeval, rouge or bleu.
 */
const [name = '', predictions = '', references, nullOdds] = process.argv.slice(2);
if (!Object.hasOwn(SCORE_KINDS, name)) throw new Error(`NAME must be one of ${Object.keys(SCORE_KINDS)}`);
const kind = await SCORE_KINDS[name]!();
const files = {
  predictions: textFile(predictions),
  ...(references !== undefined && { references: textFile(references) }),
  ...(nullOdds !== undefined && { nullOdds: textFile(nullOdds) }),
};
console.log(JSON.stringify(kind.score(files, console.error)));
