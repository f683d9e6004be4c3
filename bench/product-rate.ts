import { engineProfile, type KernelEvent, productSizes } from './engine-profile.ts';

/** Statistics of a run's matrix products, from the engine's own profile. */
export interface ProductRate {
  /** Rate of all products: operations over kernel time. */
  gflops: number;
  /** Rate of the products with frozen weights and others of their size, which can reach the machine's peak. */
  largeGflops: number;
  /** Share of kernel time spent in products. */
  share: number;
}

const PRODUCTS = new Set(['Gemm', 'MatMul', 'FusedMatMul', 'FusedGemm']);
/** Inner and outer sizes from which a product counts as large. */
const LARGE = 64;

/** Runs something with the engine's profiler on and reads the profile; `run` gets the prefix of the file to write. */
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
