import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'tests/**/*.test.ts'],
    // ONNX Runtime's native addon wants a process of its own; two cores bear two at most.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
  },
});
