// Runs a model on WebGPU, in a process of its own, because it may hang or crash without a working driver. The argument is
// the model in base64. The exit code is 0 if the model ran. Otherwise, standard error has the reason.
import { InferenceSession } from 'onnxruntime-node';

try {
  const model = Buffer.from(process.argv[2], 'base64');
  const session = await InferenceSession.create(model, { executionProviders: ['webgpu'] });
  await session.run({});
} catch (error) {
  process.stderr.write(`reason: ${error.message}`);
  process.exitCode = 1;
}
