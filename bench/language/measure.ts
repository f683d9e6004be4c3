/**
 * How often rows look English to `looksEnglish`, by language and number of rows.
 *
 *     npx tsx bench/language/measure.ts FOLDER
 *
 * FOLDER has `NAME.txt`, one row a line. Prints the share of 100 draws of 8, 20 and 60 rows.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { looksEnglish } from '../../src/input/text/looks-english.ts';
import { Random } from '../../src/support/random.ts';

const DRAWS = 100;
const [folder = '.'] = process.argv.slice(2);
for (const name of readdirSync(folder).filter((file) => file.endsWith('.txt'))) {
  const rows = readFileSync(join(folder, name), 'utf8').split('\n').filter(Boolean);
  const shares = [8, 20, 60].map((count) => {
    const draws = Array.from({ length: DRAWS }, (_, draw) => new Random(draw, name).permutation(rows.length));
    const english = draws.filter((order) =>
      looksEnglish(Array.from(order.slice(0, count), (row) => rows[row]!)),
    );
    return (english.length / DRAWS).toFixed(2);
  });
  console.log(name.padEnd(20), ...shares);
}
