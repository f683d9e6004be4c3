import { counted, short } from '../../format.ts';
import { type Markup, markup } from '../../markup.ts';
import { intervalOver, intervalText, type RunGroup } from '../../run/group-runs.ts';
import { examplesPerSecond, type RunRecord, runMemoryMb, stepMs } from '../../run/run-record.ts';
import { part, table } from '../section.ts';

interface Cost {
  name: string;
  of: (run: RunRecord) => number | undefined;
  show: (value: number) => string;
  unit?: string;
}

const COSTS: readonly Cost[] = [
  { name: 'Time per step', of: stepMs, show: short, unit: ' ms' },
  { name: 'Examples per second', of: examplesPerSecond, show: short },
  { name: 'Peak memory', of: runMemoryMb, show: counted, unit: ' MB' },
  { name: 'Trained parameters', of: ({ start }) => start?.trainable_parameters, show: counted },
  { name: 'of them in the adapter', of: ({ start }) => start?.adapter_parameters, show: counted },
  {
    name: 'From start to first step',
    of: ({ start }) => start && start.startup_ms / 1000,
    show: short,
    unit: ' s',
  },
];

/** The cost of each run, and its ratio to the first run's. */
export function cost(groups: readonly RunGroup[]): Markup | undefined {
  if (groups.every(({ runs }) => runs.every(({ start }) => !start))) return undefined;
  const rows = COSTS.map(({ name, of, show, unit }) => {
    const values = groups.map(({ runs }) => intervalOver(runs, of));
    return [
      name,
      ...values.map((value, i) => {
        const [first] = values;
        const share = i > 0 && first && value && first.mean > 0 ? value.mean / first.mean : undefined;
        return markup`${intervalText(value, show, unit)}${share !== undefined && markup` <small>× ${share.toFixed(2)}</small>`}`;
      }),
    ];
  });
  const note = groups.length > 1 ? ` × is relative to ${groups[0]!.label}.` : '';
  return part(
    'cost-table',
    markup`${table('Cost', groups, rows)}<p class="note">Parameters are counted at the start of training, before triplets are pruned. Times and rates exclude evaluations. Memory is that of the whole process.${note}</p>`,
  );
}
