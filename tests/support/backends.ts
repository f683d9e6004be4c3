import type { Target } from '../../src/engine/onnx/lowerings.ts';
import { createSession as createNodeSession } from '../../src/engine/runtime/node/create-session.ts';
import type { Session } from '../../src/engine/runtime/session.ts';
import { createSession as createWebSession } from '../../src/engine/runtime/web-session.ts';

/** An engine for the contract suites. */
export interface Backend {
  name: string;
  /** Its lowering table. */
  target: Target;
  open(model: Uint8Array): Promise<Session>;
  /** Reasons why cases are not supported, by their names. */
  skips: Record<string, string>;
}

export const cpu: Backend = {
  name: 'cpu',
  target: 'cpu',
  open: (model) => createNodeSession(model, { device: 'cpu', threads: 1 }),
  skips: {},
};

export const wasm: Backend = {
  name: 'wasm',
  target: 'wasm',
  open: (model) => createWebSession(model, { device: 'wasm', threads: 1 }),
  skips: {},
};

export const webgpu: Backend = {
  name: 'webgpu',
  target: 'webgpu',
  open: (model) => createNodeSession(model, { device: 'webgpu', threads: 1 }),
  skips: {},
};
