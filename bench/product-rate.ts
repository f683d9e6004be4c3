import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What the matrix products of a run did, by the engine's own profile. */
export interface ProductRate {
  /** Of all products together: operations over kernel time. */
  gflops: number;
  /** Of the frozen weights' products and others of their size, which can reach the machine's peak. */
  largeGflops: number;
  /** Share of kernel time spent in products. */
  share: number;
}

interface KernelEvent {
  cat?: string;
  name: string;
  dur: number;
  args: {
    op_name?: string;
    input_type_shape?: Record<string, number[]>[];
    output_type_shape?: Record<string, number[]>[];
  };
}

const PRODUCTS = new Set(['Gemm', 'MatMul', 'FusedMatMul', 'FusedGemm']);
/** Inner and outer sizes from which a product counts as large. */
const LARGE = 64;

/** Runs something with the engine's profiler on and reads the profile; `run` gets the prefix of the file to write. */
export async function productRate(run: (profilePrefix: string) => Promise<void>): Promise<ProductRate> {
  const folder = mkdtempSync(join(tmpdir(), 'adalora-profile-'));
  try {
    await run(join(folder, 'profile'));
    const [file] = readdirSync(folder);
    return summary(JSON.parse(readFileSync(join(folder, file), 'utf8')));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function summary(events: KernelEvent[]): ProductRate {
  const kernels = events.filter(({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time'));
  const total = kernels.reduce((sum, { dur }) => sum + dur, 0);
  const products = kernels.filter(({ args }) => PRODUCTS.has(args.op_name ?? ''));
  const large = products.filter((event) => Math.min(...sizes(event)) >= LARGE);
  return { gflops: rate(products), largeGflops: rate(large), share: microseconds(products) / total };
}

function rate(events: readonly KernelEvent[]): number {
  return events.reduce((sum, event) => sum + operations(event), 0) / microseconds(events) / 1000;
}

function microseconds(events: readonly KernelEvent[]): number {
  return events.reduce((sum, { dur }) => sum + dur, 0);
}

function operations(event: KernelEvent): number {
  const [rows, inner, columns, batch] = [...sizes(event), batchOf(event)];
  return 2 * batch * rows * inner * columns;
}

/** Rows, inner size and columns: from the numbers of elements, whatever is transposed. */
function sizes(event: KernelEvent): [number, number, number] {
  const [a, b] = event.args.input_type_shape ?? [];
  const [rows, columns] = outputShape(event).slice(-2);
  const batch = batchOf(event);
  const inner = Math.sqrt((elements(shapeOf(a)) * elements(shapeOf(b))) / (rows * columns * batch * batch));
  return [rows, inner, columns];
}

function batchOf(event: KernelEvent): number {
  return elements(outputShape(event).slice(0, -2));
}

function outputShape(event: KernelEvent): number[] {
  return shapeOf(event.args.output_type_shape?.[0]);
}

function shapeOf(typed: Record<string, number[]> | undefined): number[] {
  return Object.values(typed ?? {})[0] ?? [];
}

function elements(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
