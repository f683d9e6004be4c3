import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { atomicWrite } from '../src/input/store/node/atomic-write.ts';
import { heatMapChart } from '../src/studies/report/chart/heat-map.ts';
import { rankTable } from '../src/studies/report/rank-table.ts';
import type { TrainEvent } from '../src/training/run/events.ts';
import { standalone } from './standalone-figure.ts';

/*
 * npx tsx scripts/rank-picture.ts RUN/metrics.jsonl OUT.svg --title TEXT
 *
 * Draws the final ranks of a run.
 */

const { values, positionals } = parseArgs({ allowPositionals: true, options: { title: { type: 'string' } } });
const [metrics, out] = positionals as [string, string];
const events = readFileSync(metrics, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as TrainEvent);
const finish = events.findLast((event) => event.type === 'finish');
if (!finish) throw new Error(`${metrics}: the run has not finished`);
const table = rankTable(finish.ranks);
const { total, modules, average, largest } = table;
const title = values.title ?? 'Ranks by layer and matrix';
const description = `${total} triplets in ${modules} matrices, ${average.toFixed(1)} on average`;
atomicWrite(out, standalone(heatMapChart({ id: 'ranks', title, description, table, largest })));
