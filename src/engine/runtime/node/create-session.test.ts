import { expect, it } from 'vitest';
import { UserError } from '../../../support/user-error.ts';
import { constant, exp } from '../../graph/build.ts';
import { Graph } from '../../graph/graph.ts';
import { lower } from '../../onnx/lower.ts';
import { createSession } from './create-session.ts';

it.skipIf(process.platform !== 'linux')('says what to do on a machine without a GPU', async () => {
  // Hides all Vulkan drivers from Vulkan's loader.
  process.env.VK_DRIVER_FILES = '/nonexistent.json';
  process.env.VK_ICD_FILENAMES = '/nonexistent.json';
  const model = lower({ y: exp(constant(new Graph(), [1])) }, { target: 'webgpu' });
  const refused = createSession(model, { device: 'webgpu' });
  await expect(refused).rejects.toThrow(UserError);
  await expect(refused).rejects.toThrow(
    'device needs a GPU, and WebGPU found none (No supported adapters). Use the device cpu, or install',
  );
});
