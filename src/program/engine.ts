import type { Value } from '../graph/graph.ts';
import type { MaskSource } from '../nn/dropout.ts';
import type { Session } from '../runtime/session.ts';

export interface OpenOptions {
  /**
   * Whether products may keep a copy of every frozen matrix in the layout of their kernels. The copies take memory and
   * make a step a few per cent faster. An engine may decline.
   */
  packed?: boolean;
}

/** Turns a graph's named outputs into a session, bound to the model's frozen weights. */
export interface Engine {
  /** The best place to cut dropout masks; by default the host. */
  masks?: MaskSource;
  open(outputs: Readonly<Record<string, Value>>, options?: OpenOptions): Promise<Session>;
}
