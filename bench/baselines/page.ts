import { REFERENCE } from '../figures.ts';
import { median } from '../median.ts';
import type { StepRun } from '../results.ts';

/** Training steps of several sizes on the sides of `bench/sides.ts`. */
export interface BaselineResults {
  sizes: {
    name: string;
    machine: string;
    versions: Record<string, string>;
    /** The machine's load before and after. */
    load: number[];
    runs: StepRun[];
  }[];
}

const METHODS = { adalora: 'AdaLoRA', lora: 'LoRA' } as const;

/** The page of docs/results about these measurements, as Markdown. */
export function baselinePage({ sizes }: BaselineResults): string {
  return `# Training steps compared with PyTorch's settings

\`npm run bench:baselines\` writes this page and [baselines.json](baselines.json), which has every time. It measures a training step on random tokens of one
length. PEFT runs eagerly and through \`torch.compile\`, in float32 and with bfloat16 autocast. Its frozen weights are float32, bfloat16, or
bitsandbytes' int8 and nf4. Adapters and heads are always float32. All sides use the same number of threads and alternate after each step. Times are medians.

The first step includes the compilation, without a cache. Texts of one length favor compiled code: with other lengths, PyTorch compiles
again. Memory is the peak of the process, and in brackets what the peak adds to the memory after the imports. adalora requests huge pages,
PyTorch does not; the rows "small pages" and "huge pages" have it the other way round.
${sizes.map(sizeSection).join('')}`;
}

function sizeSection({ name, machine, versions, load, runs }: BaselineResults['sizes'][number]): string {
  const methods = (['adalora', 'lora'] as const).filter((one) => runs.some(({ method }) => method === one));
  const find = (side: string, method: string) =>
    runs.find((run) => run.side === side && run.method === method);
  const cells = (side: string) =>
    methods.flatMap((method) => {
      const [run, peft] = [find(side, method), find(REFERENCE, method)];
      if (!run) return ['', '', '', ''];
      const { peak_mb: peak, baseline_mb: imports = 0 } = run.memory;
      return [
        `${median(run.ms).toFixed(0)} ms`,
        peft ? (median(peft.ms) / median(run.ms)).toFixed(2) : '',
        `${(run.firstMs / 1000).toFixed(1)} s`,
        `${peak.toFixed(0)} MB (${(peak - imports).toFixed(0)})`,
      ];
    });
  const head = methods.flatMap((method) => [METHODS[method], 'speed', 'first step', 'memory']);
  const lines = [...new Set(runs.map(({ side }) => side))].map((side) => [side, ...cells(side)]);
  const table = [['', ...head], ['', ...head].map(() => '---'), ...lines].map(
    (line) => `| ${line.join(' | ')} |`,
  );
  const libraries = Object.entries(versions).map(([library, version]) => `${library} ${version}`);
  return `
## ${name}

Speed is a multiple of ${REFERENCE}'s. ${machine}; ${libraries.join(', ')}; load ${load.map((one) => one.toFixed(1)).join(' to ')}.

${table.join('\n')}
`;
}
