import type { Value } from '../graph/graph.ts';
import type { MaskSource } from '../nn/dropout.ts';
import type { Session } from '../runtime/session.ts';

export interface OpenOptions {
  /**
   * Whether products may keep every frozen matrix once more, in the order that their kernels read: some per cent of a step
   * for the memory. An engine may decline.
   */
  packed?: boolean;
}

/** Turns a graph's named outputs into something that runs, with the model's frozen weights bound to it. */
export interface Engine {
  /** Where dropout's masks are best cut; by default by the host. */
  masks?: MaskSource;
  open(outputs: Readonly<Record<string, Value>>, options?: OpenOptions): Promise<Session>;
}
