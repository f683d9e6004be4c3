import { writeSync } from 'node:fs';
import { KINDS } from './kinds.ts';
import { type Tried, tryContent, tryMutation } from './try-mutation.ts';
import { WORST_FILES } from './worst-files.ts';
import { writeSamples } from './write-samples.ts';

/**
 * Tries the mutations [from, to), or the worst files if the seed is `worst`. Each result is reported at once,
 * because the next file may end the process.
 */
const [folder, seed, from, to] = process.argv.slice(2) as [string, string, string, string];
writeSamples(folder);
writeSync(1, '{}\n');
for (let index = Number(from); index < Number(to); index++) {
  const { outcome, message } = await (seed === 'worst'
    ? tryWorst(index)
    : tryMutation(KINDS[index % KINDS.length]!, folder, Number(seed), index));
  const said = outcome === 'value' || outcome === 'refused' ? '' : message;
  writeSync(1, `${JSON.stringify({ index, outcome, message: said })}\n`);
}

async function tryWorst(index: number): Promise<Tried> {
  const { kind: name, content, refused } = WORST_FILES[index]!;
  const kind = KINDS.find((kind) => kind.name === name)!;
  // Garbage of earlier files should not count.
  globalThis.gc?.();
  const tried = await tryContent(kind, folder, content);
  const isExpected = refused === undefined ? tried.outcome === 'value' : tried.message.includes(refused);
  return isExpected || tried.outcome === 'stack' ? tried : { ...tried, outcome: 'other' };
}
