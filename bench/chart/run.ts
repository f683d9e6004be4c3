import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { atomicWrite } from '../../src/input/store/node/atomic-write.ts';
import type { BenchResults } from '../results.ts';
import { ratioChart } from './ratio-chart.ts';
import { ratioGroups } from './ratio-groups.ts';

/*
 * npm run bench:chart -- [--json runs/bench.json] [--out docs/bench.svg]
 *
 * Draws the measurements of `npm run bench`.
 */

const { values: options } = parseArgs({
  options: {
    json: { type: 'string', default: 'runs/bench.json' },
    out: { type: 'string', default: 'docs/bench.svg' },
  },
});
const results: BenchResults = JSON.parse(readFileSync(options.json, 'utf8'));
const chart = ratioChart(
  ratioGroups(results),
  'AdaLoRA compared with PEFT: speed and peak memory of training',
);
atomicWrite(options.out, chart);
