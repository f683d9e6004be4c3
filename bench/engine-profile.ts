import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One run of one kernel, as the engine's profiler writes it. */
export interface KernelEvent {
  /** The node's name, which begins with our op that it was lowered from. */
  name: string;
  /** Microseconds. */
  dur: number;
  args: {
    op_name?: string;
    input_type_shape?: Record<string, number[]>[];
    output_type_shape?: Record<string, number[]>[];
  };
}

/** Runs something with the engine's profiler on; `run` gets the prefix of the file to write. */
export async function engineProfile(run: (profilePrefix: string) => Promise<void>): Promise<KernelEvent[]> {
  const folder = mkdtempSync(join(tmpdir(), 'adalora-profile-'));
  try {
    await run(join(folder, 'profile'));
    const [file] = readdirSync(folder);
    const events: (KernelEvent & { cat?: string })[] = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    return events.filter(({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * A product's rows, inner size and columns, from the numbers of elements, independent of transposition; and the
 * number of products.
 */
export function productSizes({ args }: KernelEvent): {
  rows: number;
  inner: number;
  columns: number;
  batch: number;
} {
  // The other operand is missing if it is packed.
  const a = shapeOf(args.input_type_shape?.[0]);
  const output = shapeOf(args.output_type_shape?.[0]);
  const [rows, columns] = output.slice(-2);
  const batch = elements(output.slice(0, -2));
  return { rows, inner: elements(a) / (rows * batch), columns, batch };
}

function shapeOf(typed: Record<string, number[]> | undefined): number[] {
  return Object.values(typed ?? {})[0] ?? [];
}

function elements(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
