import { writeSync } from 'node:fs';
import { KINDS } from './kinds.ts';
import { tryMutation } from './try-mutation.ts';
import { writeSamples } from './write-samples.ts';

/** Tries mutations [from, to), and reports each result at once, because the next may end the process. */
const [folder, seed, from, to] = process.argv.slice(2);
writeSamples(folder);
writeSync(1, '{}\n');
for (let index = Number(from); index < Number(to); index++) {
  const { outcome, message } = await tryMutation(KINDS[index % KINDS.length], folder, Number(seed), index);
  const said = outcome === 'value' || outcome === 'refused' ? '' : message;
  writeSync(1, `${JSON.stringify({ index, outcome, message: said })}\n`);
}
