import { engineProfile, type KernelEvent, productSizes } from './engine-profile.ts';

/** A kind of work in a step. */
export interface ProfileLine {
  kind: string;
  /** Number of kernels per step. */
  kernels: number;
  ms: number;
  /** Share of the time in kernels. */
  share: number;
}

/** A size below this is an adapter's rank; a model's widths are larger. */
const LOW_RANK = 64;
const ELEMENTWISE = new Set(['add', 'subtract', 'multiply', 'divide', 'negate', 'exp', 'where', 'cast']);
const COPIES = new Set(['transpose', 'concat', 'slice', 'pad', 'expand', 'gather', 'reshape', 'window']);

/**
 * Profiles steps, and returns their time by kind of work, the largest first.
 *
 * @param steps number of steps that `run` takes
 */
export async function stepProfile(
  steps: number,
  run: (profilePrefix: string) => Promise<void>,
  kindOf: (event: KernelEvent) => string = kind,
): Promise<ProfileLine[]> {
  const events = await engineProfile(run);
  const total = events.reduce((sum, { dur }) => sum + dur, 0);
  const groups = new Map<string, { kernels: number; us: number }>();
  for (const event of events) {
    const group = groups.get(kindOf(event)) ?? { kernels: 0, us: 0 };
    groups.set(kindOf(event), { kernels: group.kernels + 1, us: group.us + event.dur });
  }
  return [...groups]
    .map(([kind, { kernels, us }]) => ({
      kind,
      kernels: Math.round(kernels / steps),
      ms: us / steps / 1000,
      share: us / total,
    }))
    .sort((a, b) => b.ms - a.ms);
}

/** The op in our graph that became this kernel. Empty if the node's name does not contain it. */
function originOf({ name }: KernelEvent): string {
  return name.match(/(\w+)\/\w/)?.[1] ?? '';
}

function kind(event: KernelEvent): string {
  const origin = originOf(event);
  const op = event.args.op_name ?? '';
  if (/MatMul|Gemm/.test(op)) {
    const { rows, inner, columns, batch } = productSizes(event);
    if (batch > 1) return 'products of attention';
    if (/Integer|DynamicQuantize/.test(op)) return 'frozen products, bytes';
    return Math.min(rows, inner, columns) < LOW_RANK ? 'low-rank products' : 'frozen products';
  }
  if (origin === 'byteMatmul') return `rounding to bytes: ${op}`;
  if (origin === 'normalCdf' || op === 'Gelu' || op === 'Erf') return 'GELU: normal distribution function';
  if (ELEMENTWISE.has(origin)) return `elementwise: ${origin}`;
  if (COPIES.has(origin)) return `copies: ${origin}`;
  return origin || op;
}

/** A kind of work and its shapes, to list every shape separately. */
export function kindWithShapes(event: KernelEvent): string {
  const shapes = (typed: Record<string, number[]>[] | undefined) =>
    (typed ?? []).map((shape) => `[${Object.values(shape)[0]}]`).join(' ');
  const { op_name, input_type_shape, output_type_shape } = event.args;
  return `${originOf(event)}/${op_name} ${shapes(input_type_shape)} -> ${shapes(output_type_shape)}`;
}
