import type { Value } from '../graph/graph.ts';
import type { Session } from '../runtime/session.ts';

/** Turns a graph's named outputs into something that runs, with the model's frozen weights bound to it. */
export interface Engine {
  open(outputs: Readonly<Record<string, Value>>): Promise<Session>;
}
