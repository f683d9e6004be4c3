/**
 * npx tsx scripts/oracle/compare_tokenizers.ts FOLDER
 *
 * Compares tokenizers from older files with the output of `slow_tokenizers.py`.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadTokenizer } from '../../tests/support/load-tokenizer.ts';

const folder = process.argv[2]!;
const { texts }: { texts: string[] } = JSON.parse(readFileSync(join(folder, 'texts.json'), 'utf8'));
const only = process.argv.slice(3);
let failed = false;

for (const name of readdirSync(folder).sort()) {
  if (!existsSync(join(folder, name, 'expected.jsonl'))) continue;
  if (only.length > 0 && !only.includes(name)) continue;
  const lines = readFileSync(join(folder, name, 'expected.jsonl'), 'utf8')
    .split('\n')
    .slice(0, -1);
  const [{ pair }, ...expected] = lines.map((line) => JSON.parse(line));
  const tokenizer = await loadTokenizer(join(folder, name), { typeVocabSize: 2 });
  const { maxLength } = { maxLength: 1e6 };
  const wrong = { ids: 0, offsets: 0, tokens: 0, pieces: 0 };
  const shown: string[] = [];
  const pairMade = [...tokenizer.encode('one two', 'three', maxLength).inputIds].join();
  if (pairMade !== pair.join()) shown.push(`pair: ${pairMade}, not ${pair}`);
  for (const [i, text] of texts.entries()) {
    const made = tokenizer.encodeWithOffsets(text);
    const ids = [...made.inputIds].join(' ');
    const told = [...made.inputIds].map((id, i) => `${id} ${made.starts[i]} ${made.ends[i]}`).join(' ');
    const wanted: string = expected[i].ids;
    const wantedIds = wanted
      .split(' ')
      .filter((_, i) => i % 3 === 0)
      .join(' ');
    wrong.ids += Number(ids !== wantedIds);
    wrong.offsets += Number(told !== wanted);
    wrong.tokens += Number(made.tokens.join('\n') !== expected[i].tokens.join('\n'));
    wrong.pieces += Number(
      [...tokenizer.encode(text, undefined, maxLength).inputIds].join(' ') !== wantedIds,
    );
    if (told !== wanted && shown.length < 3) {
      const [a, b] = [told.split(' '), wanted.split(' ')];
      const at = a.findIndex((part, i) => part !== b[i]);
      const from = at - (at % 3);
      shown.push(
        `${JSON.stringify(text)}\n    ours ${a.slice(from, from + 12)} of ${a.length / 3}\n    theirs ${b.slice(from, from + 12)} of ${b.length / 3}`,
      );
    }
  }
  const isRight = Object.values(wrong).every((count) => count === 0) && shown.length === 0;
  failed ||= !isRight;
  console.log(`${name}: ${isRight ? 'equal' : `differ ${JSON.stringify(wrong)}`} on ${texts.length} lines`);
  for (const each of shown) console.log(`  ${each}`);
}
process.exitCode = failed ? 1 : 0;
