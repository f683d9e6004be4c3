// Runs the model given as base64 on WebGPU, in a process that may hang or crash without a working driver. Exit code
// 0: it ran. The reason of a failure is printed on standard error.
import { InferenceSession } from 'onnxruntime-node';

try {
  const model = Buffer.from(process.argv[2], 'base64');
  const session = await InferenceSession.create(model, { executionProviders: ['webgpu'] });
  await session.run({});
} catch (error) {
  process.stderr.write(`reason: ${error.message}`);
  process.exitCode = 1;
}
