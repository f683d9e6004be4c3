import { spawnSync } from 'node:child_process';
import { constant, exp } from '../../src/engine/graph/build.ts';
import { Graph } from '../../src/engine/graph/graph.ts';
import { lower } from '../../src/engine/onnx/lower.ts';

/** Time limit in milliseconds. A software driver responds within a second. A driver that hangs counts as missing. */
const PATIENCE = 20_000;

/** Why this machine cannot run WebGPU in Node. Undefined if it can. */
export function webgpuProblem(): string | undefined {
  const model = lower({ y: exp(constant(new Graph(), [1])) }, { target: 'webgpu' });
  const probe = new URL('webgpu-probe.mjs', import.meta.url);
  const { status, signal, stderr } = spawnSync(
    process.execPath,
    [probe.pathname, Buffer.from(model).toString('base64')],
    { timeout: PATIENCE, encoding: 'utf8' },
  );
  if (status === 0) return undefined;
  const reason =
    stderr.match(/reason: .*?([^:]*)$/s)?.[1]?.trim() ?? `the probe ended with ${signal ?? status}`;
  return `no WebGPU here: ${reason} (see .ci/install-vulkan)`;
}
