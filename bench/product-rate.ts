import { engineProfile, type KernelEvent, productSizes } from './engine-profile.ts';

/** Statistics of a run's matrix products, from the engine's profile. */
export interface ProductRate {
  /** Operations per kernel time of all products, in GFLOP/s. */
  gflops: number;
  /** The same for large products only, such as those with frozen weights, which can reach the machine's peak. */
  largeGflops: number;
  /** Share of kernel time that is spent in products. */
  share: number;
}

const PRODUCTS = new Set(['Gemm', 'MatMul', 'FusedMatMul', 'FusedGemm']);
/** A product is large if all its sizes are at least this. */
const LARGE = 64;

/**
 * Profiles the engine while `run` is executed, and returns the rates of its products.
 *
 * @param run gets the prefix of the profile's file
 */
export async function productRate(run: (profilePrefix: string) => Promise<void>): Promise<ProductRate> {
  const kernels = await engineProfile(run);
  const products = kernels.filter(({ args }) => PRODUCTS.has(args.op_name ?? ''));
  const large = products.filter((event) => {
    const { rows, inner, columns } = productSizes(event);
    return Math.min(rows, inner, columns) >= LARGE;
  });
  return {
    gflops: rate(products),
    largeGflops: rate(large),
    share: microseconds(products) / microseconds(kernels),
  };
}

function rate(events: readonly KernelEvent[]): number {
  return events.reduce((sum, event) => sum + operations(event), 0) / microseconds(events) / 1000;
}

function microseconds(events: readonly KernelEvent[]): number {
  return events.reduce((sum, { dur }) => sum + dur, 0);
}

function operations(event: KernelEvent): number {
  const { rows, inner, columns, batch } = productSizes(event);
  return 2 * batch * rows * inner * columns;
}
