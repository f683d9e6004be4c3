import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One execution of a kernel, as the engine's profiler writes it. */
export interface KernelEvent {
  /** The node's name. It begins with the op in our graph that became this node. */
  name: string;
  /** Duration in microseconds. */
  dur: number;
  args: {
    op_name?: string;
    input_type_shape?: Record<string, number[]>[];
    output_type_shape?: Record<string, number[]>[];
  };
}

/**
 * Profiles the engine while `run` is executed.
 *
 * @param run gets the prefix of the profile's file
 */
export async function engineProfile(run: (profilePrefix: string) => Promise<void>): Promise<KernelEvent[]> {
  const folder = mkdtempSync(join(tmpdir(), 'adalora-profile-'));
  try {
    await run(join(folder, 'profile'));
    const [file] = readdirSync(folder);
    const events: (KernelEvent & { cat?: string })[] = JSON.parse(readFileSync(join(folder, file!), 'utf8'));
    return events.filter(({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * The sizes of a product: its rows, inner size and columns, and the number of products. They are computed
 * from numbers of elements, so that transposition does not matter.
 */
export function productSizes({ args }: KernelEvent): {
  rows: number;
  inner: number;
  columns: number;
  batch: number;
} {
  // If the other operand is packed, its shape is missing.
  const a = shapeOf(args.input_type_shape?.[0]);
  const output = shapeOf(args.output_type_shape?.[0]);
  const [rows, columns] = output.slice(-2) as [number, number];
  const batch = elements(output.slice(0, -2));
  return { rows, inner: elements(a) / (rows * batch), columns, batch };
}

function shapeOf(typed: Record<string, number[]> | undefined): number[] {
  return Object.values(typed ?? {})[0] ?? [];
}

function elements(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
